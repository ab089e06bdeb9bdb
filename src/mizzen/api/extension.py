"""extensions.istio.io WasmPlugin and TrafficExtension. Rows WP-*."""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec import Struct

from mizzen.api.match import PortSelector
from mizzen.api.meta import LabelSelector, TargetRef


class TrafficSelector(Struct, frozen=True, kw_only=True):
    """Which listeners of the proxy carry the plugin; ``mode``: UNDEFINED, CLIENT, SERVER or CLIENT_AND_SERVER."""

    mode: str = "UNDEFINED"
    ports: tuple[PortSelector, ...] = ()


class EnvVar(Struct, frozen=True, kw_only=True, rename="camel"):
    name: str = ""
    value_from: str = "INLINE"
    value: str = ""


class VmConfig(Struct, frozen=True, kw_only=True):
    env: tuple[EnvVar, ...] = ()


class WasmPlugin(Struct, frozen=True, kw_only=True, rename="camel"):
    selector: LabelSelector | None = None
    target_ref: TargetRef | None = None
    target_refs: tuple[TargetRef, ...] = ()
    url: str = ""
    sha256: str = ""
    image_pull_policy: str = "UNSPECIFIED_POLICY"
    image_pull_secret: str = ""
    verification_key: str = ""
    plugin_config: dict[str, Any] | None = None
    plugin_name: str = ""
    phase: str = "UNSPECIFIED_PHASE"
    priority: int | None = None
    fail_strategy: str = "FAIL_CLOSE"
    vm_config: VmConfig | None = None
    match: tuple[TrafficSelector, ...] = ()
    type: str = "UNSPECIFIED_PLUGIN_TYPE"


class WasmConfig(Struct, frozen=True, kw_only=True, rename="camel"):
    url: str = ""
    sha256: str = ""
    image_pull_policy: str = "UNSPECIFIED_POLICY"
    image_pull_secret: str = ""
    verification_key: str = ""
    plugin_config: dict[str, Any] | None = None
    plugin_name: str = ""
    fail_strategy: str = "FAIL_CLOSE"
    vm_config: VmConfig | None = None
    type: str = "UNSPECIFIED_PLUGIN_TYPE"


class LuaConfig(Struct, frozen=True, kw_only=True, rename="camel"):
    inline_code: str = ""


class TrafficExtension(Struct, frozen=True, kw_only=True, rename="camel"):
    target_ref: ClassVar[TargetRef | None] = None
    """Other kinds had a single reference once; this one never has."""

    selector: LabelSelector | None = None
    target_refs: tuple[TargetRef, ...] = ()
    phase: str = "UNSPECIFIED"
    priority: int | None = None
    match: tuple[TrafficSelector, ...] = ()
    wasm: WasmConfig | None = None
    lua: LuaConfig | None = None

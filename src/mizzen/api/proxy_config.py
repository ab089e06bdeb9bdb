"""networking.istio.io ProxyConfig, the object (``mesh_config.ProxyConfig`` is the mesh-wide block). Rows PC-*."""

from __future__ import annotations

from msgspec import Struct

from mizzen.api.meta import LabelSelector


class ProxyImage(Struct, frozen=True, kw_only=True, rename="camel"):
    image_type: str = ""


class ProxyConfigObject(Struct, frozen=True, kw_only=True, rename="camel"):
    selector: LabelSelector | None = None
    concurrency: int | None = None
    environment_variables: dict[str, str] = {}
    image: ProxyImage | None = None

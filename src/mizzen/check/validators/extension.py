"""WasmPlugin and TrafficExtension. Rows WP-*."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from mizzen.api.extension import LuaConfig, TrafficExtension, TrafficSelector, VmConfig, WasmConfig, WasmPlugin
from mizzen.check import rules
from mizzen.check.lua import problem
from mizzen.check.notes import Notes

_BAD_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})")
MAX_ENV = 256
MAX_SECRET = 253


def validate_wasm_plugin(spec: WasmPlugin, notes: Notes) -> None:
    rules.selector(notes, "spec.selector", spec.selector)
    rules.target_refs(notes, "spec", spec.target_ref, spec.target_refs, spec.selector)
    _wasm(spec, "spec", notes)
    _match(spec.match, notes)


def validate_traffic_extension(spec: TrafficExtension, notes: Notes) -> None:
    rules.selector(notes, "spec.selector", spec.selector)
    rules.target_refs(notes, "spec", None, spec.target_refs, spec.selector)
    given = [kind for kind in ("wasm", "lua") if getattr(spec, kind) is not None]
    notes.need(len(given) == 1, "spec", "exactly one of wasm and lua is required")
    if spec.wasm is not None:
        _wasm(spec.wasm, "spec.wasm", notes)
    if spec.lua is not None:
        _lua(spec.lua, notes)
    _match(spec.match, notes)


def _lua(lua: LuaConfig, notes: Notes) -> None:
    notes.need(bool(lua.inline_code), "spec.lua.inlineCode", "the code is required")
    if notes.need(len(lua.inline_code.encode()) <= 65536, "spec.lua.inlineCode", "at most 64 KiB of code"):
        wrong = problem(lua.inline_code)
        notes.need(not wrong, "spec.lua.inlineCode", f"it is no Lua: {wrong}")


def _match(match: Sequence[TrafficSelector], notes: Notes) -> None:
    for index, chosen in enumerate(match):
        for position, selector in enumerate(chosen.ports):
            rules.port(notes, f"spec.match[{index}].ports[{position}].number", selector.number)


def _wasm(plugin: WasmPlugin | WasmConfig, path: str, notes: Notes) -> None:
    if notes.need(bool(plugin.url), f"{path}.url", "a url is required"):
        _url(plugin.url, f"{path}.url", notes)
    sha = plugin.sha256
    if sha:
        ok = len(sha) == 64 and all(c in "0123456789abcdef" for c in sha)
        notes.need(ok, f"{path}.sha256", "must be 64 hexadecimal digits in lower case")
    notes.need(len(plugin.image_pull_secret) <= MAX_SECRET, f"{path}.imagePullSecret", "the name is too long")
    if plugin.verification_key:
        notes.warn(f"{path}.verificationKey", "signatures are not verified: the key has no effect; use sha256")
    notes.need(len(plugin.plugin_name) <= 256, f"{path}.pluginName", "at most 256 characters")
    if plugin.vm_config is not None:
        _environment(plugin.vm_config, f"{path}.vmConfig.env", notes)


def _url(url: str, path: str, notes: Notes) -> None:
    try:
        parts = urlsplit(url)
        if _BAD_ESCAPE.search(url):
            raise ValueError("a percent sign that begins no escape")
    except ValueError:
        notes.error(path, f"{url!r} is no URL")
        return
    scheme = parts.scheme if "://" in url else ""
    notes.need(
        scheme in ("", "oci", "http", "https", "file"), path, "url contains invalid scheme: oci, http, https or file"
    )


def _environment(config: VmConfig, path: str, notes: Notes) -> None:
    notes.need(len(config.env) <= MAX_ENV, path, f"at most {MAX_ENV} variables")
    rules.unique(notes, path, [variable.name for variable in config.env], "names must differ")
    for index, variable in enumerate(config.env):
        where = f"{path}[{index}]"
        notes.need(bool(variable.name) and len(variable.name) <= 256, f"{where}.name", "1 to 256 characters")
        notes.need(len(variable.value) <= 2048, f"{where}.value", "at most 2048 characters")
        if variable.value_from == "HOST":
            notes.need(not variable.value, f"{where}.value", "HOST takes the value from the proxy's environment")

"""A document, as YAML or JSON gave it, becomes an :class:`~mizzen.api.meta.Object`. Rows CM-01, CM-03, CM-04.

All problems of a document are reported at once. A fatal one refuses the object; nothing ever raises.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from msgspec import Struct

from mizzen.api.kinds import KINDS, KindInfo, find_kind, kind_of, kinds_named
from mizzen.api.mesh_config import MeshConfig, ProxyConfig
from mizzen.api.mesh_networks import MeshNetworks
from mizzen.api.meta import Object, ObjectMeta, Origin
from mizzen.api.reader import BAD, MAX_DEPTH, Problem, Report, closest, name_of, reader

__all__ = [
    "Decoded",
    "Problem",
    "decode",
    "decode_mesh",
    "decode_mesh_networks",
    "decode_proxy_config",
    "readable_body",
]

Block = TypeVar("Block", bound=Struct)

NO_EFFECT = "MZ0002"
"""Code of a kind that is kept and shown but changes nothing in the mesh."""

_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_RBAC_NAME = re.compile(r"[^/%]+")
_TOP_LEVEL = ("apiVersion", "kind", "metadata", "spec", "status")


class Decoded(Struct, frozen=True, kw_only=True):
    """``object`` is None when a problem is fatal. ``kind``, ``namespace`` and ``name`` are as far as they could be
    read, so that findings can name a refused object."""

    object: Object | None
    problems: tuple[Problem, ...] = ()
    kind: str = ""
    namespace: str = ""
    name: str = ""


def decode(raw: object, origin: Origin | None = None, namespace: str = "default") -> Decoded:
    """Decode one document. ``namespace`` is used for namespaced kinds that name none."""
    if not isinstance(raw, Mapping):
        return _refused("", f"a document must be a map with apiVersion and kind, not {name_of(raw)}")
    api_version, kind = _word(raw, "apiVersion"), _word(raw, "kind")
    name = _metadata_word(raw, "name")
    if too_deep(raw):
        return _refused("", f"the document is nested more than {MAX_DEPTH} levels deep", kind, name=name)
    if not kind:
        return _refused("kind", "the document has no kind", name=name)
    if not api_version:
        return _refused("apiVersion", "the document has no apiVersion", kind, name=name)
    info = kind_of(api_version, kind)
    if info is None:
        return _refused("kind", _unknown_kind(api_version, kind), kind, name=name)
    report = Report()
    _check_version(info, api_version, report)
    meta = _metadata(raw.get("metadata"), info, namespace, report)
    body = _body(raw, info, report)
    if info.effect == "none":
        report.warn("", f"{info.kind} is kept, but has no effect in this version", NO_EFFECT)
    fatal = any(problem.fatal for problem in report.problems)
    status = None if fatal else _status(raw.get("status"), info)
    obj = None if fatal else Object(kind=info.key, meta=meta, body=body, origin=origin, status=status)
    return Decoded(
        object=obj, problems=tuple(report.problems), kind=info.key, namespace=meta.namespace, name=meta.name or name
    )


def readable_body(raw: Mapping[Any, Any], info: KindInfo) -> Any:
    """The body of a document as far as it can be read, for those who only look at it (row IM-06).

    Unknown fields are passed over and what does not fit keeps its default, as in Istio's own client. None where nothing
    can be read.
    """
    if too_deep(raw):
        return None
    written = raw if info.payload == "document" else raw.get("spec")
    body = reader(info.body)({} if written is None else written, "spec", Report(unknown="ignore"))
    return None if body is BAD else body


def decode_mesh(raw: object) -> tuple[MeshConfig, tuple[Problem, ...]]:
    """Mesh config from the value of the ConfigMap ``istio``: unknown keys are warnings, a bad field keeps its default.

    snake_case names are understood (row CM-04). Paths are relative to the mesh config.
    """
    return _lenient(MeshConfig, raw)


def decode_mesh_networks(raw: object) -> tuple[MeshNetworks, tuple[Problem, ...]]:
    """MeshNetworks from the key ``meshNetworks`` of the same ConfigMap, by the rules of :func:`decode_mesh`."""
    return _lenient(MeshNetworks, raw)


def decode_proxy_config(raw: object) -> tuple[ProxyConfig, tuple[Problem, ...]]:
    """A ProxyConfig block, such as the annotation ``proxy.istio.io/config``, by the rules of :func:`decode_mesh`."""
    return _lenient(ProxyConfig, raw)


def _lenient(kind: type[Block], raw: object) -> tuple[Block, tuple[Problem, ...]]:
    report = Report(unknown="warn", lenient=True)
    if raw is None:
        return kind(), ()
    if too_deep(raw):
        report.refuse("", f"nested more than {MAX_DEPTH} levels deep")
        return kind(), tuple(report.problems)
    value = reader(kind)(raw, "", report)
    return (kind() if value is BAD else value), tuple(report.problems)


def too_deep(raw: object) -> bool:
    """Whether maps and lists nest more than ``MAX_DEPTH`` levels (also true of one that contains itself)."""
    level: list[object] = [raw]
    for _ in range(MAX_DEPTH):
        below: dict[int, object] = {}
        for value in level:
            children = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
            below.update((id(c), c) for c in children if isinstance(c, Mapping | list))
        if not below:
            return False
        level = list(below.values())
    return True


def _refused(path: str, message: str, kind: str = "", namespace: str = "", name: str = "") -> Decoded:
    problem = Problem(path=path, message=message)
    return Decoded(object=None, problems=(problem,), kind=kind, namespace=namespace, name=name)


def _word(raw: Mapping[Any, Any], key: str) -> str:
    value = raw.get(key)
    return value if isinstance(value, str) else ""


def _metadata_word(raw: Mapping[Any, Any], key: str) -> str:
    metadata = raw.get("metadata")
    return _word(metadata, key) if isinstance(metadata, Mapping) else ""


def _unknown_kind(api_version: str, kind: str) -> str:
    others = kinds_named(kind)
    if others:
        return f"{kind} is known in {' and '.join(sorted({o.api_version for o in others}))}, not in {api_version}"
    meant = find_kind(kind)
    close = meant.kind if meant else closest(kind, tuple(KINDS))
    hint = f"; did you mean {close}?" if close else ""
    return f"{api_version} {kind} is no kind that Mizzen knows{hint}"


def _check_version(info: KindInfo, api_version: str, report: Report) -> None:
    version = api_version.rpartition("/")[2]
    if info.versions and version not in info.versions:
        served = ", ".join(info.versions)
        report.refuse("apiVersion", f"version {version} of {info.kind} is not served; served: {served}")


def _metadata(raw: object, info: KindInfo, namespace: str, report: Report) -> ObjectMeta:
    own = Report(unknown="ignore")
    meta = reader(ObjectMeta)({} if raw is None else raw, "metadata", own)
    report.problems += own.problems
    if not isinstance(meta, ObjectMeta):
        return ObjectMeta()
    scope = (meta.namespace or namespace) if info.namespaced else ""
    if meta.namespace != scope:
        meta = _with_namespace(meta, scope)
    _check_name(meta, info, report)
    return meta


def _with_namespace(meta: ObjectMeta, namespace: str) -> ObjectMeta:
    return ObjectMeta(
        **{f: getattr(meta, f) for f in ObjectMeta.__struct_fields__ if f != "namespace"}, namespace=namespace
    )


def _check_name(meta: ObjectMeta, info: KindInfo, report: Report) -> None:
    if info.effect == "none":
        return
    if not meta.name:
        if not meta.generate_name:
            report.refuse("metadata.name", "a name is required")
        return
    pattern = _RBAC_NAME if info.group == "rbac.authorization.k8s.io" else _SUBDOMAIN
    if not pattern.fullmatch(meta.name) or len(meta.name) > 253:
        report.refuse("metadata.name", f"{meta.name[:80]!r} is no name: lower-case letters, digits, '-' and '.'")
    if meta.namespace and (
        not _SUBDOMAIN.fullmatch(meta.namespace) or "." in meta.namespace or len(meta.namespace) > 63
    ):
        report.refuse(
            "metadata.namespace", f"{meta.namespace[:80]!r} is no namespace: lower-case letters, digits and '-'"
        )


def _body(raw: Mapping[Any, Any], info: KindInfo, report: Report) -> Any:
    if info.payload == "document":
        own = Report(unknown="ignore")
        body = reader(info.body)(raw, "", own)
        report.problems += own.problems
        return body
    for key in raw:
        if key not in _TOP_LEVEL:
            close = closest(str(key), _TOP_LEVEL)
            hint = f"; did you mean {close}?" if close else ""
            report.refuse(str(key), f"unknown field {str(key)!r}{hint}")
    spec = raw.get("spec")
    return reader(info.body)({} if spec is None else spec, "spec", report)


def _status(raw: object, info: KindInfo) -> Any:
    """The status where the mesh goes by it. Nobody writes it by hand, so one that cannot be read counts as empty."""
    if info.status is None:
        return None
    value = reader(info.status)({} if raw is None else raw, "status", Report(unknown="ignore"))
    return info.status() if value is BAD else value

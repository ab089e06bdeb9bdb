"""Rules for the metadata of every object. Row CM-16."""

from __future__ import annotations

from mizzen.api.meta import ObjectMeta
from mizzen.check.notes import Notes

RESERVED = (
    "internal.istio.io/parents",
    "internal.istio.io/parent-namespace",
    "internal.istio.io/webhook-always-reject",
)
DRY_RUN = "istio.io/dry-run"


def validate(meta: ObjectMeta, notes: Notes) -> None:
    for name in RESERVED:
        if name in meta.annotations:
            notes.error(f'metadata.annotations["{name}"]', "this annotation is reserved")
    if DRY_RUN in meta.annotations and notes.obj.kind in _POLICIES:
        _dry_run(meta.annotations[DRY_RUN], notes)


_POLICIES = ("AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication")


def _dry_run(value: str, notes: Notes) -> None:
    path = f'metadata.annotations["{DRY_RUN}"]'
    action = getattr(notes.obj.body, "action", "")
    notes.need(action in ("ALLOW", "DENY"), path, "only an AuthorizationPolicy that allows or denies can run dry")
    notes.need(value.lower() in _BOOLEANS, path, "must be true or false")


_BOOLEANS = ("true", "false", "1", "0", "t", "f")

"""``exportTo``: which namespaces see an object (row CM-08)."""

from __future__ import annotations

from collections.abc import Iterable

ANNOTATION = "networking.istio.io/exportTo"


def resolved(written: Iterable[str], default: Iterable[str], namespace: str) -> tuple[str, ...]:
    """``written`` (or the mesh default where that is empty), with ``.`` replaced by the object's own namespace."""
    entries = [entry.strip() for entry in written if entry.strip()] or list(default)
    return tuple(sorted({namespace if entry == "." else entry for entry in entries}))


def visible(export_to: tuple[str, ...], client_namespace: str) -> bool:
    """True when a client in ``client_namespace`` sees what is exported to ``export_to``."""
    if "~" in export_to:
        return False
    return "*" in export_to or client_namespace in export_to


def rank(export_to: tuple[str, ...], own_namespace: str, client_namespace: str) -> int:
    """0 private to the client's namespace, 1 exported to it by name, 2 public: the order of rows VS-07 and VS-08."""
    if "*" in export_to:
        return 2
    return 0 if own_namespace == client_namespace and export_to == (client_namespace,) else 1

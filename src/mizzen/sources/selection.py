"""Which of the mesh's own kinds a control plane reads at all (rows CM-12, CM-14)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mizzen.api.kinds import KINDS

REVISION = "istio.io/rev"
_ISTIO = ".istio.io"


@dataclass(frozen=True)
class Selection:
    """``revision``: objects labelled for another one are not read; without a revision all are.

    ``ignored`` and ``included`` are resources as ``plural.group`` or ``*.group``; ``included`` only saves what
    ``ignored`` names (Istio's PILOT_IGNORE_RESOURCES and PILOT_INCLUDE_RESOURCES).
    """

    revision: str = ""
    ignored: tuple[str, ...] = ()
    included: tuple[str, ...] = ()

    def reason(self, kind: str, labels: Mapping[str, str]) -> str:
        """Why an object of this kind with these labels is not read; empty when it is. Kubernetes' own kinds always are."""
        info = KINDS.get(kind)
        if info is None or not info.group.endswith(_ISTIO):
            return ""
        if _named(info.plural, info.group, self.ignored) and not _named(info.plural, info.group, self.included):
            return f"this control plane does not read {info.plural}.{info.group} (PILOT_IGNORE_RESOURCES)"
        wanted = labels.get(REVISION, "")
        if wanted and self.revision and wanted != self.revision:
            return f"it is labelled for revision {wanted!r}, and this control plane has {self.revision!r}"
        return ""


EVERYTHING = Selection()


def _named(plural: str, group: str, resources: Iterable[str]) -> bool:
    return any(r == f"{plural}.{group}" or (r.startswith("*.") and group.endswith(r[2:])) for r in resources)

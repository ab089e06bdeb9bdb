"""What the path of the injection webhook says about the pods that come by it (row IJ-06)."""

from __future__ import annotations

import msgspec

from mizzen.inject.settings import InjectSettings

CLUSTER, NETWORK = "ISTIO_META_CLUSTER_ID", "ISTIO_META_NETWORK"
_KEYS = {"cluster": CLUSTER, "net": NETWORK}
_OLD = ":ENV:"
_SLASH = "--slash--"


def parameters(path: str) -> tuple[dict[str, str], list[str]]:
    """Variables by name, and what could not be understood; ``path`` is what follows ``/inject/``.

    ``cluster/NAME/net/NAME/key/value`` or, as older charts have it, ``:ENV:cluster=NAME:ENV:key=value``.
    """
    if path.startswith(_OLD):
        pairs, ignored = _old(path)
    else:
        words = path.split("/") if path else []
        pairs = [(key, value.replace(_SLASH, "/")) for key, value in zip(words[::2], words[1::2], strict=False)]
        ignored = [words[-1]] if len(words) % 2 and words[-1] else []
    ignored += [f"/{value}" for key, value in pairs if not key]
    return {_KEYS.get(key, key.upper()): value for key, value in pairs if key}, ignored


def _old(path: str) -> tuple[list[tuple[str, str]], list[str]]:
    """A pair without ``=`` or without a name is left out."""
    pairs, ignored = [], []
    for text in path.split(_OLD)[1:]:
        key, equals, value = text.partition("=")
        if key and equals:
            pairs.append((key, value))
        else:
            ignored.append(text)
    return pairs, ignored


def located(settings: InjectSettings, variables: dict[str, str]) -> InjectSettings:
    """``settings`` with what the path says: cluster and network count wherever injection uses them."""
    return msgspec.structs.replace(
        settings,
        cluster_id=variables.get(CLUSTER) or settings.cluster_id,
        network=variables.get(NETWORK) or settings.network,
        environment=variables,
    )

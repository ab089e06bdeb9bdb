"""A pod's volumes: directories in memory that the supervisor fills and keeps up to date, mounted where the pod says."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mizzen.errors import LabError
from mizzen.lab import environment

Raw = dict[str, Any]
Find = Callable[[str, str, str], Raw | None]
Issue = Callable[[Raw, str, int], str]
"""(pod, audience, seconds) -> token."""


def mounts(pod: Raw, directory: Path, claims: Path) -> tuple[list[Raw], list[str]]:
    """Bind mounts for the pod's root, and names of volumes mounted at one path by several containers differently.

    ``directory`` holds the pod's volumes as the zygote sees them, ``claims`` what persistent claims keep. Raises LabError.
    """
    sources = {str(v.get("name")): _source(v, pod, directory, claims) for v in pod["spec"].get("volumes") or []}
    placed: dict[str, Raw] = {}
    clashes = []
    for container in _containers(pod):
        for item in container.get("volumeMounts") or []:
            name, target = str(item.get("name")), os.path.normpath(str(item.get("mountPath")))
            if name not in sources:
                raise LabError(f"container {container.get('name')} mounts the volume {name!r}, which the pod does not have")
            source = os.path.join(sources[name], str(item.get("subPath") or "")).rstrip("/")
            if target in placed and placed[target]["source"] != source:
                clashes.append(target)
            placed[target] = {"source": source, "target": target, "read_only": bool(item.get("readOnly"))}
    return list(placed.values()), clashes


def _containers(pod: Raw) -> list[Raw]:
    return [*(pod["spec"].get("initContainers") or []), *(pod["spec"].get("containers") or [])]


def _source(volume: Raw, pod: Raw, directory: Path, claims: Path) -> str:
    if path := (volume.get("hostPath") or {}).get("path"):
        return str(path)
    if claim := (volume.get("persistentVolumeClaim") or {}).get("claimName"):
        kept = claims / pod["metadata"]["namespace"] / str(claim)
        kept.mkdir(parents=True, exist_ok=True)
        kept.chmod(0o777)
        return str(kept)
    return str(directory / str(volume.get("name")))


def fill(pod: Raw, directory: Path, find: Find, issue: Issue, default_user: int) -> None:
    """Write, or write again, every volume's files. Raises LabError when a ConfigMap or Secret does not exist."""
    for volume in pod["spec"].get("volumes") or []:
        if "hostPath" in volume or "persistentVolumeClaim" in volume:
            continue
        target = directory / str(volume.get("name"))
        files = _files(volume, pod, find, issue)
        if files is None:
            target.mkdir(parents=True, exist_ok=True)
            target.chmod(0o1777)
            continue
        owners = _owners(pod, str(volume.get("name")), default_user)
        _write(target, files, owners)


def _owners(pod: Raw, volume: str, default_user: int) -> set[int]:
    using = [c for c in _containers(pod) if any(m.get("name") == volume for m in c.get("volumeMounts") or [])]
    return {environment.user(c, pod, default_user).uid for c in using}


def _files(volume: Raw, pod: Raw, find: Find, issue: Issue) -> dict[str, tuple[bytes, int]] | None:
    """Path -> (bytes, mode); None for a volume that starts empty. Raises LabError."""
    if projected := volume.get("projected"):
        found: dict[str, tuple[bytes, int]] = {}
        for source in projected.get("sources") or []:
            found |= _files({**source, "defaultMode": projected.get("defaultMode")}, pod, find, issue) or {}
        return found
    mode = int(volume.get("defaultMode") or 0o644)
    if token := volume.get("serviceAccountToken"):
        seconds = int(token.get("expirationSeconds") or 3600)
        return {str(token["path"]): (issue(pod, str(token.get("audience") or "https://kubernetes.default.svc"), seconds).encode(), 0o600)}
    if downward := volume.get("downwardAPI"):
        return {str(item["path"]): (_downward(item, pod).encode(), mode) for item in downward.get("items") or []}
    for field, kind, key in (("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName")):
        if (reference := volume.get(field)) is not None:
            name = str(reference.get(key) or reference.get("name") or "")
            return _keys(reference, kind, name, pod["metadata"]["namespace"], find, int(reference.get("defaultMode") or mode))
    if "csi" in volume:
        raise LabError(f"volume {volume.get('name')!r}: CSI drivers cannot run in the lab", "use a Secret or an emptyDir")
    return None


def _downward(item: Raw, pod: Raw) -> str:
    if reference := item.get("fieldRef"):
        return environment.field(pod, str(reference.get("fieldPath", "")))
    return environment.resource(item.get("resourceFieldRef") or {}, {}, pod)


def _keys(reference: Raw, kind: str, name: str, namespace: str, find: Find, mode: int) -> dict[str, tuple[bytes, int]]:
    found = find(kind, namespace, name)
    if found is None:
        if reference.get("optional"):
            return {}
        raise LabError(f"{kind} {namespace}/{name} does not exist yet", "apply it; the pod starts then")
    values = environment.contents(found)
    items = reference.get("items")
    if not items:
        return {key: (value, mode) for key, value in values.items()}
    return {str(i["path"]): (values[i["key"]], int(i.get("mode") or mode)) for i in items if i.get("key") in values}


def _write(target: Path, files: dict[str, tuple[bytes, int]], owners: set[int]) -> None:
    """Each file by one rename; files that are no longer wanted go. One owner: the file is that user's; several: all may read."""
    target.mkdir(parents=True, exist_ok=True)
    target.chmod(0o755)
    for name, (data, mode) in files.items():
        path = Path(os.path.normpath(target / name))
        if not path.is_relative_to(target):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.read_bytes() == data:
            continue
        temporary = path.with_name(f"..{path.name}")
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(data)
        if len(owners) == 1:
            owner = next(iter(owners))
            os.chown(temporary, owner, owner)
            temporary.chmod(stat.S_IMODE(mode))
        else:
            temporary.chmod(stat.S_IMODE(mode) | 0o444)
        temporary.replace(path)
    for path in target.rglob("*"):
        if path.is_file() and str(path.relative_to(target)) not in files:
            path.unlink(missing_ok=True)

"""A container's environment, command and user, from its pod. Pure."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from mizzen.errors import LabError
from mizzen.lab.images import Image, short_name

Raw = dict[str, Any]
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/mizzen/bin"
_REFERENCE = re.compile(r"\$(\$|\((?P<name>[A-Za-z_.-][A-Za-z0-9_.-]*)\))")
_RUNTIME_CAPABILITIES = frozenset(
    "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE".split()
)
_UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "m": 1e-3}


class User(Struct, frozen=True):
    """Whom a container runs as; ``capabilities`` None means all that root has."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()
    capabilities: tuple[str, ...] | None = ()
    no_new_privileges: bool = False


def command(container: Raw, image: Image | None) -> list[str]:
    """Kubernetes' rule: ``command`` replaces entrypoint and arguments, ``args`` only the arguments. Raises LabError
    when neither container nor image says what to run."""
    own, arguments = container.get("command") or [], container.get("args")
    if own:
        words = [*own, *(arguments or [])]
    elif image is not None:
        words = [*image.entrypoint, *(arguments if arguments else image.arguments)]
    else:
        name = container.get("image", "")
        raise LabError(f"nothing is known about the image {name!r} and the container has no command", f"add {short_name(name)} to images in mizzen.yaml")
    return [str(word) for word in words]


def expand(text: str, values: Mapping[str, str]) -> str:
    """``$(NAME)`` is replaced when known; ``$$`` is a dollar sign."""

    def one(match: re.Match[str]) -> str:
        if match[1] == "$":
            return "$"
        return values.get(match["name"], match[0])

    return _REFERENCE.sub(one, text)


def variables(container: Raw, pod: Raw, image: Image | None, find: Callable[[str, str, str], Raw | None]) -> dict[str, str]:
    """The environment; ``find(kind, namespace, name)`` gives ConfigMaps and Secrets. Raises LabError for a missing one."""
    values = {"PATH": PATH, "HOSTNAME": hostname(pod), "HOME": "/tmp", "LANG": "C.UTF-8", **(image.environment if image else {})}  # noqa: S108
    namespace = pod["metadata"]["namespace"]
    for source in container.get("envFrom") or []:
        values |= {source.get("prefix", "") + name: value for name, value in _whole(source, namespace, find).items()}
    for item in container.get("env") or []:
        if "valueFrom" in item and item["valueFrom"]:
            value = _from(item["valueFrom"], container, pod, find)
            if value is None:
                continue
        else:
            value = expand(str(item.get("value") or ""), values)
        values[str(item["name"])] = value
    return values


def hostname(pod: Raw) -> str:
    return str(pod["spec"].get("hostname") or pod["metadata"]["name"])[:63]


def _whole(source: Raw, namespace: str, find: Callable[[str, str, str], Raw | None]) -> dict[str, str]:
    for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
        if reference := source.get(field):
            found = find(kind, namespace, reference.get("name", ""))
            if found is None and not reference.get("optional"):
                raise LabError(f"{kind} {namespace}/{reference.get('name')} does not exist", "apply it; the pod starts then")
            return {} if found is None else {name: value.decode(errors="replace") for name, value in contents(found).items()}
    return {}


def _from(source: Raw, container: Raw, pod: Raw, find: Callable[[str, str, str], Raw | None]) -> str | None:
    namespace = pod["metadata"]["namespace"]
    if reference := source.get("fieldRef"):
        return field(pod, reference.get("fieldPath", ""))
    if reference := source.get("resourceFieldRef"):
        return resource(reference, container, pod)
    for name, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
        if reference := source.get(name):
            found = find(kind, namespace, reference.get("name", ""))
            value = contents(found).get(reference.get("key", "")) if found else None
            if value is None and not reference.get("optional"):
                raise LabError(f"{kind} {namespace}/{reference.get('name')} has no key {reference.get('key')!r}", "apply it; the pod starts then")
            return None if value is None else value.decode(errors="replace")
    return ""


def contents(found: Raw) -> dict[str, bytes]:
    """The values of a ConfigMap or Secret. Raises ValueError for bad base64."""
    from base64 import b64decode

    if found["kind"] == "Secret":
        plain = {name: str(value).encode() for name, value in (found.get("stringData") or {}).items()}
        return {name: b64decode(value) for name, value in (found.get("data") or {}).items()} | plain
    binary = {name: b64decode(value) for name, value in (found.get("binaryData") or {}).items()}
    return {name: str(value).encode() for name, value in (found.get("data") or {}).items()} | binary


def field(pod: Raw, path: str) -> str:
    """The downward API's fields; an unknown one is empty."""
    meta, spec, status = pod["metadata"], pod["spec"], pod.get("status") or {}
    keyed = re.fullmatch(r"metadata\.(labels|annotations)\['(.+)'\]", path)
    if keyed:
        return str((meta.get(keyed[1]) or {}).get(keyed[2], ""))
    if path in ("metadata.labels", "metadata.annotations"):
        items = sorted((meta.get(path.split(".")[1]) or {}).items())
        return "\n".join(f'{name}="{_escape(str(value))}"' for name, value in items)
    plain = {
        "metadata.name": meta["name"],
        "metadata.namespace": meta["namespace"],
        "metadata.uid": meta.get("uid", ""),
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", "default"),
        "status.podIP": status.get("podIP", ""),
        "status.podIPs": status.get("podIP", ""),
        "status.hostIP": status.get("hostIP", ""),
        "status.hostIPs": status.get("hostIP", ""),
    }
    return str(plain.get(path, ""))


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def resource(reference: Raw, container: Raw, pod: Raw) -> str:
    """``limits.cpu`` and the like in units of the divisor, rounded up; without a limit, what the machine has."""
    name = reference.get("containerName")
    chosen = next((c for c in pod["spec"].get("containers") or [] if c.get("name") == name), container) if name else container
    group, _, what = str(reference.get("resource", "")).partition(".")
    text = ((chosen.get("resources") or {}).get(group) or {}).get(what)
    if text is None:
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if what == "memory" else (os.cpu_count() or 1)
        amount: float = machine if group == "limits" else 0
    else:
        amount = quantity(str(text))
    return str(math.ceil(round(amount / (quantity(str(reference.get("divisor") or "1")) or 1), 6)))


def quantity(text: str) -> float:
    """A Kubernetes quantity such as 100m or 128Mi. Raises ValueError."""
    for unit, factor in _UNITS.items():
        if text.endswith(unit):
            return float(text[: -len(unit)]) * factor
    return float(text)


def user(container: Raw, pod: Raw, default: int) -> User:
    """``securityContext`` of container, then of pod, then ``default``: root only for those who ask for it by number."""
    whole, own = pod["spec"].get("securityContext") or {}, container.get("securityContext") or {}
    uid = int(own.get("runAsUser", whole.get("runAsUser", default)))
    gid = int(own.get("runAsGroup", whole.get("runAsGroup", uid)))
    groups = tuple(int(group) for group in whole.get("supplementalGroups") or ())
    if "fsGroup" in whole:
        groups += (int(whole["fsGroup"]),)
    capabilities: tuple[str, ...] | None = ()
    if own.get("privileged"):
        capabilities = None
    elif uid == 0:
        wanted = own.get("capabilities") or {}
        dropped = {str(name).upper().removeprefix("CAP_") for name in wanted.get("drop") or ()}
        kept = set() if "ALL" in dropped else _RUNTIME_CAPABILITIES - dropped
        capabilities = tuple(sorted(kept | {str(name).upper().removeprefix("CAP_") for name in wanted.get("add") or ()}))
    return User(uid, gid, groups, capabilities, own.get("allowPrivilegeEscalation") is False)

"""An image of a registry, by the OCI distribution protocol (rows WP-01, WP-03, WP-04).

Three forms are known: an OCI artifact whose layer is the module, and images of one layer (OCI or Docker) that holds
``plugin.wasm``.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from mizzen.agent.wasm.transfer import Answer, Refused, Transfer

_OCI = "application/vnd.oci.image."
_DOCKER = "application/vnd.docker."
_INDEXES = (f"{_OCI}index.v1+json", f"{_DOCKER}distribution.manifest.list.v2+json")
_MANIFESTS = (f"{_OCI}manifest.v1+json", f"{_DOCKER}distribution.manifest.v2+json")
_ARTIFACT = "application/vnd.module.wasm.content.layer.v1+wasm"
_LAYERS = (f"{_OCI}layer.v1.tar+gzip", f"{_OCI}layer.v1.tar", f"{_DOCKER}image.rootfs.diff.tar.gzip")
_LARGEST_MANIFEST = 4 * 1024 * 1024
_HUB, _HUB_SERVER = "docker.io", "registry-1.docker.io"
_NAME = r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*"
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True)
class Reference:
    """``version`` is a tag or a digest."""

    registry: str
    repository: str
    version: str

    @classmethod
    def parse(cls, url: str) -> Reference:
        """``oci://[registry/]repository[:tag|@digest]``, with Docker's defaults. Raises Refused."""
        name = url.removeprefix("oci://")
        name, at, digest = name.partition("@")
        first, slash, rest = name.partition("/")
        known = slash and ("." in first or ":" in first or first == "localhost")
        registry, path = (first, rest) if known else (_HUB, name)
        path, _, tag = path.partition(":")
        if registry == _HUB and "/" not in path:
            path = f"library/{path}"
        if not re.fullmatch(_NAME, path):
            raise Refused(f"{url!r} is no name of an image")
        return cls(registry, path, digest if at else tag or "latest")


@dataclass(frozen=True)
class Layer:
    """``packed``: the module is a file in it."""

    digest: str
    packed: bool


class Image:
    """``auth`` is the text of a Docker configuration, or empty."""

    def __init__(self, reference: Reference, transfer: Transfer, auth: str, *, insecure: bool) -> None:
        self._reference = reference
        self._transfer = transfer
        self._credentials = credentials(auth, self._reference.registry)
        self._authorization = ""
        self._schemes = ("http",) if _is_local(self._reference.registry) else ("https", "http")[: 1 + insecure]

    def layer(self, sha256: str) -> Layer:
        """What to fetch. ``sha256``, unless empty, is the image's digest. Raises Refused or OSError."""
        version = self._reference.version
        document, digest = self._manifest(version)
        if sha256 and digest != f"sha256:{sha256}":
            raise Refused(f"the image's digest is {digest} and not the one that the object demands")
        for _ in range(2):
            if "manifests" not in document:
                return _layer(document)
            document, _ = self._manifest(_of_platform(document["manifests"]))
        raise Refused("an index in an index")

    def blob(self, layer: Layer) -> Iterator[bytes]:
        """The layer's bytes, which are those that its digest says."""
        answer = self._get(f"blobs/{layer.digest}", ())
        if answer.status != 200:
            raise Refused(f"the registry answers {answer.status} for the layer")
        seen = hashlib.sha256()
        for part in answer.body:
            seen.update(part)
            yield part
        if f"sha256:{seen.hexdigest()}" != layer.digest:
            raise Refused("the layer is not the one that the image names")

    def _manifest(self, version: str) -> tuple[dict[str, Any], str]:
        answer = self._get(f"manifests/{version}", (*_MANIFESTS, *_INDEXES))
        if answer.status != 200:
            raise Refused(f"the registry answers {answer.status} for {self._reference.repository}:{version}")
        text = self._transfer.text(answer, _LARGEST_MANIFEST)
        digest = f"sha256:{hashlib.sha256(text).hexdigest()}"
        if version.startswith("sha256:") and version != digest:
            raise Refused("the manifest is not the one that was asked for")
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise Refused("the manifest is no JSON object")
        return document, digest

    def _get(self, what: str, accept: tuple[str, ...]) -> Answer:
        answer = self._ask(what, accept)
        if answer.status == 401 and not self._authorization:
            self._authorization = self._authorize(answer.headers.get("www-authenticate", ""))
            answer = self._ask(what, accept)
        return answer

    def _ask(self, what: str, accept: tuple[str, ...]) -> Answer:
        server = _HUB_SERVER if self._reference.registry == _HUB else self._reference.registry
        headers = {"Accept": ", ".join(accept)} if accept else {}
        if self._authorization:
            headers["Authorization"] = self._authorization
        for scheme in self._schemes:
            try:
                answer = self._transfer.get(f"{scheme}://{server}/v2/{self._reference.repository}/{what}", headers)
            except OSError:
                if scheme == self._schemes[-1]:
                    raise
            else:
                self._schemes = (scheme,)
                return answer
        raise Refused("no way to the registry")

    def _authorize(self, challenge: str) -> str:
        """The header that a registry wants. A token is asked for where the registry says, with our password if any."""
        kind, _, rest = challenge.partition(" ")
        basic = f"Basic {self._credentials}" if self._credentials else ""
        if kind.lower() == "basic":
            return basic
        if kind.lower() != "bearer":
            return ""
        asked = dict(_CHALLENGE.findall(rest))
        realm = asked.pop("realm", "")
        if urlsplit(realm).scheme not in self._schemes:
            raise Refused("the registry sends to a token service by another scheme than its own")
        query = urlencode({"scope": f"repository:{self._reference.repository}:pull", **asked})
        answer = self._transfer.get(f"{realm}?{query}", {"Authorization": basic} if basic else {})
        if answer.status != 200:
            raise Refused(f"the registry's token service answers {answer.status}")
        try:
            found = json.loads(self._transfer.text(answer, _LARGEST_MANIFEST))
            return f"Bearer {found.get('token') or found['access_token']}"
        except (ValueError, KeyError, AttributeError, RecursionError):
            raise Refused("the registry's token service gives no token") from None


def credentials(auth: str, registry: str) -> str:
    """``user:password`` in base64 for ``registry`` out of a Docker configuration; empty when it has none."""
    try:
        listed: Mapping[str, Any] = json.loads(auth or "{}").get("auths") or {}
        for name, entry in listed.items():
            host = re.sub(r"^https?://", "", name).split("/")[0]
            host = _HUB if host in ("index.docker.io", _HUB_SERVER) else host
            if host != registry:
                continue
            given = entry.get("auth") or base64.b64encode(f"{entry['username']}:{entry['password']}".encode()).decode()
            return base64.b64encode(base64.b64decode(given, validate=True)).decode()
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        raise Refused("the pull secret is no Docker configuration") from None
    return ""


def _layer(document: Mapping[str, Any]) -> Layer:
    layers = [layer for layer in document.get("layers") or () if isinstance(layer, dict)]
    for layer in layers:
        if layer.get("mediaType") == _ARTIFACT:
            return Layer(_digest(layer), packed=False)
    if len(layers) != 1:
        raise Refused(f"the image has {len(layers)} layers; one with a module is wanted")
    if layers[0].get("mediaType") not in _LAYERS:
        raise Refused(f"the layer is of an unknown kind, {layers[0].get('mediaType')!r}")
    return Layer(_digest(layers[0]), packed=True)


def _of_platform(manifests: Any) -> str:
    """The one for linux/amd64, else the first: a module runs anywhere."""
    listed = [entry for entry in manifests if isinstance(entry, dict)] if isinstance(manifests, list) else []
    if not listed:
        raise Refused("the index names no image")
    wanted = {"os": "linux", "architecture": "amd64"}
    fitting = [e for e in listed if isinstance(e.get("platform"), dict) and wanted.items() <= e["platform"].items()]
    return _digest((fitting or listed)[0])


def _digest(entry: Mapping[str, Any]) -> str:
    found = str(entry.get("digest", ""))
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", found):
        raise Refused("a digest that is no sha256")
    return found


def _is_local(registry: str) -> bool:
    """Docker's rule: a registry on the pod's own loopback speaks plain HTTP."""
    host = registry.rpartition(":")[0] or registry
    return host == "localhost" or host.startswith("127.") or host == "[::1]"

"""Names of images and passwords for registries; the protocol itself is in test_fetch.py."""

from __future__ import annotations

import base64
import json

import pytest

from mizzen.agent.wasm.image import Reference, credentials
from mizzen.agent.wasm.transfer import Refused

DIGEST = f"sha256:{'0' * 64}"


@pytest.mark.row("WP-01")
@pytest.mark.parametrize(
    ("url", "registry", "repository", "version"),
    [
        ("oci://r.example/a/b:v1", "r.example", "a/b", "v1"),
        ("oci://r.example:5000/a", "r.example:5000", "a", "latest"),
        ("oci://localhost/a", "localhost", "a", "latest"),
        ("oci://plugin:v1", "docker.io", "library/plugin", "v1"),
        ("oci://me/plugin", "docker.io", "me/plugin", "latest"),
        (f"oci://r.example/a:v1@{DIGEST}", "r.example", "a", DIGEST),
    ],
)
def test_names_are_read_as_docker_reads_them(url: str, registry: str, repository: str, version: str) -> None:
    assert Reference.parse(url) == Reference(registry, repository, version)


@pytest.mark.parametrize("url", ["oci://", "oci://r.example/", "oci://r.example/../x?y", "oci://r.example/A"])
def test_what_is_no_name_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        Reference.parse(url)


@pytest.mark.row("WP-04")
def test_a_password_is_found_by_registry() -> None:
    pair = base64.b64encode(b"me:pw").decode()
    auths = {
        "https://index.docker.io/v1/": {"auth": pair},
        "r.example": {"username": "me", "password": "pw"},
        "other.example": {"auth": base64.b64encode(b"no:no").decode()},
    }
    text = json.dumps({"auths": auths})
    assert credentials(text, "docker.io") == credentials(text, "r.example") == pair
    assert credentials(text, "r.example:5000") == credentials("", "r.example") == ""


@pytest.mark.parametrize("text", ["{", "[]", '{"auths": {"r.example": {}}}', '{"auths": {"r.example": {"auth": "%"}}}'])
def test_what_is_no_configuration_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(Refused, match=r"no Docker configuration$"):
        credentials(text, "r.example")

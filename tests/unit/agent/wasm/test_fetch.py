"""Fetching one module, from a real server on loopback."""

from __future__ import annotations

import datetime
import gzip
import ipaddress
import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mizzen.agent.wasm import image
from mizzen.agent.wasm.fetch import fetch
from mizzen.agent.wasm.transfer import Refused
from tests.fakes import registry
from tests.fakes.registry import Content
from tests.fakes.wasm import MARKS, TELLS_ENV, digest

PLAIN = {"sha256": "", "auth": "", "timeout": 5.0, "limit": 1 << 20, "insecure": [], "blocked": []}


@pytest.fixture
def content() -> Content:
    return Content()


@pytest.fixture
def place(content: Content) -> Iterator[str]:
    with registry.serving(content) as (found, _):
        yield found


def task(directory: Path, url: str, **more: Any) -> dict[str, Any]:
    return {**PLAIN, "directory": str(directory), "url": url, **more}


def got(directory: Path, url: str, **more: Any) -> bytes:
    """The module that a fetch left, which is under its digest and the only file."""
    found = fetch(task(directory, url, **more))
    (file,) = directory.iterdir()
    assert file.name == f"{found}.wasm"
    assert digest(file.read_bytes()) == found
    return file.read_bytes()


def refused(directory: Path, url: str, **more: Any) -> str:
    with pytest.raises((Refused, OSError)) as error:
        fetch(task(directory, url, **more))
    assert list(directory.iterdir()) == [], "nothing is left of what was refused"
    return str(error.value)


@pytest.mark.row("WP-01")
@pytest.mark.parametrize(
    "served",
    [
        MARKS,
        gzip.compress(MARKS),
        registry.archive({"a/any.wasm": MARKS}),
        gzip.decompress(registry.archive({"x": MARKS})),
    ],
    ids=["plain", "compressed", "archive", "open archive"],
)
def test_a_file_is_the_module_or_has_it(tmp_path: Path, content: Content, place: str, served: bytes) -> None:
    content.files["x"] = served
    assert got(tmp_path, f"http://{place}/files/x", sha256=digest(MARKS)) == MARKS


@pytest.mark.row("WP-01", "WP-04")
@pytest.mark.parametrize("form", ["artifact", "compat", "docker"])
def test_an_image_of_each_form(tmp_path: Path, content: Content, place: str, form: str) -> None:
    whole = getattr(content, form)("team/marks:v1", MARKS)
    assert got(tmp_path / "tag", f"oci://{place}/team/marks:v1") == MARKS
    assert got(tmp_path / "digest", f"oci://{place}/team/marks@{whole}") == MARKS
    demanded = whole.removeprefix("sha256:")
    assert got(tmp_path / "sha", f"oci://{place}/team/marks:v1", sha256=demanded) == MARKS


@pytest.mark.row("WP-01")
def test_an_index_leads_to_the_image_of_this_platform(tmp_path: Path, content: Content, place: str) -> None:
    other, mine = content.artifact("x:arm", TELLS_ENV), content.artifact("x:amd", MARKS)
    entries = [
        {"digest": other, "platform": {"os": "linux", "architecture": "arm64"}},
        {"digest": mine, "platform": {"os": "linux", "architecture": "amd64"}},
    ]
    content.manifest("x:v1", {"manifests": entries}, f"{registry.OCI}index.v1+json")
    assert got(tmp_path, f"oci://{place}/x:v1") == MARKS


@pytest.mark.row("WP-03")
def test_another_digest_than_demanded_is_refused(tmp_path: Path, content: Content, place: str) -> None:
    content.files["x"] = MARKS
    whole = content.artifact("x:v1", MARKS)
    assert "sha256" in refused(tmp_path, f"http://{place}/files/x", sha256="0" * 64)
    # Of an image it is the manifest's digest, not the module's.
    assert whole in refused(tmp_path, f"oci://{place}/x:v1", sha256=digest(MARKS))


@pytest.mark.row("WP-03")
def test_a_registry_that_sends_something_else_is_refused(tmp_path: Path, content: Content, place: str) -> None:
    whole = content.artifact("x:v1", MARKS)
    content.blobs[registry.digest_of(MARKS)] = TELLS_ENV
    assert "layer" in refused(tmp_path, f"oci://{place}/x:v1")
    content.manifests[f"x:{whole}"] = content.manifests[f"x:{content.artifact('x:v2', TELLS_ENV)}"]
    assert "manifest" in refused(tmp_path, f"oci://{place}/x@{whole}")


@pytest.fixture
def secure(tmp_path_factory: pytest.TempPathFactory, content: Content) -> Iterator[tuple[str, Path]]:
    """A server with a certificate of its own making, and the file with that."""
    folder = tmp_path_factory.mktemp("tls")
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "registry")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    trusted, secret = folder / "cert.pem", folder / "key.pem"
    trusted.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted, secret)
    with registry.serving(content, context) as (place, _):
        yield place, trusted


@pytest.mark.row("WP-01", "WP-14")
def test_https_wants_a_server_that_proves_itself(
    tmp_path: Path, content: Content, secure: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, trusted = secure
    content.files["x"] = MARKS
    url = f"https://{place}/files/x"
    assert "verify" in refused(tmp_path, url)
    assert "verify" in refused(tmp_path, url, insecure=["*"]), "that is for registries"
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    assert "from https to http" in refused(tmp_path, f"https://{place}/moved?http://{place}/files/x")
    assert got(tmp_path, url) == MARKS


@pytest.mark.row("WP-14")
def test_an_insecure_registry_need_not_prove_itself_nor_speak_tls(
    tmp_path: Path, content: Content, place: str, secure: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    content.artifact("x:v1", MARKS)
    monkeypatch.setattr(image, "_is_local", lambda registry: False)
    for registry_ in (place, secure[0]):
        assert refused(tmp_path / "no", f"oci://{registry_}/x:v1", insecure=["other.example"])
        assert got(tmp_path / registry_, f"oci://{registry_}/x:v1", insecure=[registry_]) == MARKS
        assert got(tmp_path / f"any {registry_}", f"oci://{registry_}/x:v1", insecure=["*"]) == MARKS


@pytest.mark.row("WP-04")
@pytest.mark.parametrize("scheme", ["Bearer", "Basic"])
def test_a_private_image_wants_the_pull_secret(tmp_path: Path, content: Content, place: str, scheme: str) -> None:
    content.compat("team/secret:v1", MARKS)
    content.passwords["team/secret"] = "me:pw"
    content.scheme = scheme
    url = f"oci://{place}/team/secret:v1"
    right = json.dumps({"auths": {f"http://{place}/v2/": {"username": "me", "password": "pw"}}})
    wrong = json.dumps({"auths": {place: {"auth": "bWU6bm8="}}})
    elsewhere = json.dumps({"auths": {"other.example": {"username": "me", "password": "pw"}}})
    for auth in ("", wrong, elsewhere):
        refused(tmp_path, url, auth=auth)
    assert "pull secret" in refused(tmp_path, url, auth="{")
    assert got(tmp_path, url, auth=right) == MARKS


@pytest.mark.row("WP-14")
def test_sizes_are_bounded_before_and_after_unpacking(tmp_path: Path, content: Content, place: str) -> None:
    assert "more than" in refused(tmp_path, f"http://{place}/endless", limit=100_000)
    content.files["bomb"] = gzip.compress(MARKS + bytes(5_000_000))
    assert "more than" in refused(tmp_path, f"http://{place}/files/bomb", limit=100_000)
    content.put(
        "bomb:v1", [(f"{registry.OCI}layer.v1.tar+gzip", registry.archive({"plugin.wasm": MARKS + bytes(5_000_000)}))]
    )
    assert "more than" in refused(tmp_path, f"oci://{place}/bomb:v1", limit=100_000)


@pytest.mark.row("WP-14")
def test_a_server_that_drips_ends_in_time(tmp_path: Path, place: str) -> None:
    refused(tmp_path, f"http://{place}/drips", timeout=0.3)


@pytest.mark.row("WP-14")
def test_some_addresses_are_never_asked_by_no_detour(tmp_path: Path, content: Content, place: str) -> None:
    for url in ("http://169.254.169.254/latest", "http://[fe80::1]/", "http://[::ffff:169.254.169.254]/"):
        assert "not fetched from" in refused(tmp_path, url)
    assert "not fetched from" in refused(tmp_path, f"http://{place}/moved?http://169.254.169.254/latest")
    assert "not fetched from" in refused(tmp_path, f"http://{place}/files/x", blocked=["127.0.0.0/8"])
    assert "no http" in refused(tmp_path, f"http://{place}/moved?file:///etc/passwd")
    content.files["x"] = MARKS
    assert got(tmp_path, f"http://{place}/moved?/files/x") == MARKS


def test_a_password_does_not_follow_a_redirect_to_another_host(tmp_path: Path, content: Content, place: str) -> None:
    content.compat("a:v1", MARKS)
    content.passwords["a"] = "me:pw"
    elsewhere = Content()
    elsewhere.blobs = dict(content.blobs)
    auth = json.dumps({"auths": {place: {"username": "me", "password": "pw"}}})
    with registry.serving(elsewhere) as (other, log):
        (layer,) = json.loads(content.manifests["a:v1"][1])["layers"]
        content.moved[layer["digest"]] = f"http://{other}/v2/a/blobs/{layer['digest']}"
        assert got(tmp_path, f"oci://{place}/a:v1", auth=auth) == MARKS
        assert [kind for _, _, kind in log] == [""]


@pytest.mark.parametrize(
    ("layers", "why"),
    [
        ([], "0 layers"),
        ([("text/plain", b"x")], "unknown kind"),
        ([(f"{registry.OCI}layer.v1.tar+gzip", registry.archive({"other": MARKS}))], "no plugin.wasm"),
        ([(f"{registry.OCI}layer.v1.tar+gzip", b"no archive")], "cannot be read"),
        ([(registry.ARTIFACT, b"no module")], "cannot be read"),
    ],
)
def test_an_image_without_a_module(
    tmp_path: Path, content: Content, place: str, layers: list[tuple[str, bytes]], why: str
) -> None:
    content.put("x:v1", layers)
    assert why in refused(tmp_path, f"oci://{place}/x:v1")


def test_what_is_not_there_or_no_name(tmp_path: Path, place: str) -> None:
    assert "404" in refused(tmp_path, f"http://{place}/files/none")
    assert "404" in refused(tmp_path, f"oci://{place}/none:v1")
    assert "no name" in refused(tmp_path, "oci://h.example/UPPER")


@pytest.mark.row("AG-12")
def test_the_child_answers_in_json(tmp_path: Path, content: Content, place: str) -> None:
    content.files["x"] = MARKS
    command = [sys.executable, "-m", "mizzen.agent.wasm.fetch"]

    def child(url: str) -> tuple[int, dict[str, str]]:
        asked = json.dumps(task(tmp_path, url))
        done = subprocess.run(command, input=asked, capture_output=True, text=True, timeout=30, check=False)
        return done.returncode, json.loads(done.stdout)

    assert child(f"http://{place}/files/x") == (0, {"sha256": digest(MARKS)})
    assert child(f"http://{place}/files/none") == (1, {"error": "the server answers 404"})

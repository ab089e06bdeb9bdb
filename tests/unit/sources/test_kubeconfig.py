"""Remote secrets: where their clusters are, and what is refused without being shown."""

import base64
from typing import Any

import pytest
import yaml

from mizzen.api.kubernetes import Secret
from mizzen.sources.kubeconfig import Unusable, socket_of, texts
from tests.unit.api.test_inline_yaml import LAUGHS


def config(server: str = "unix:///run/b/sock", **user: Any) -> str:
    return yaml.safe_dump(
        {
            "clusters": [
                {"name": "other", "cluster": {"server": "https://x"}},
                {"name": "b", "cluster": {"server": server}},
            ],
            "contexts": [{"name": "here", "context": {"cluster": "b", "user": "me"}}],
            "current-context": "here",
            "users": [{"name": "me", "user": user}],
        }
    )


@pytest.mark.row("MCL-01")
def test_the_current_context_says_where_the_cluster_is() -> None:
    assert str(socket_of(config())) == "/run/b/sock"
    assert str(socket_of(config(token="t", **{"client-certificate-data": "x"}))) == "/run/b/sock"


@pytest.mark.row("MCL-01")
@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("exec", "exec"),
        ("client-key", "clientKey"),
        ("client-certificate", "clientCertificate"),
        ("tokenFile", "tokenFile"),
    ],
)
def test_programs_and_files_of_the_control_plane_are_refused_unless_they_are_allowed(field: str, name: str) -> None:
    text = config(**{field: "s3cret"})
    with pytest.raises(Unusable, match=name) as caught:
        socket_of(text)
    assert "s3cret" not in str(caught.value)
    assert socket_of(text, frozenset({name}))


@pytest.mark.row("MCL-01")
def test_auth_providers_but_oidc_are_refused() -> None:
    assert socket_of(config(**{"auth-provider": {"name": "oidc"}}))
    with pytest.raises(Unusable, match="auth providers"):
        socket_of(config(**{"auth-provider": {"name": "gcp"}}))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "no YAML"),
        ("- a", "names no server"),
        (config("https://10.0.0.1:6443"), "of this machine"),
        (config("unix://relative"), "not absolute"),
        (yaml.safe_dump({"current-context": "gone", "contexts": [None]}), "names no server"),
    ],
)
def test_what_names_no_mesh_of_this_machine_is_told(text: str, said: str) -> None:
    with pytest.raises(Unusable, match=said):
        socket_of(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 1_000_000, "no YAML"),
        ("- " * 100_000, "no YAML"),
        (LAUGHS, "no YAML"),
        ("a: 2001-99-99", "names no server"),
    ],
)
def test_a_secret_cannot_end_the_control_plane(text: str, said: str) -> None:
    with pytest.raises(Unusable, match=said):
        socket_of(text)


def test_data_is_base64_and_string_data_is_not() -> None:
    encoded = base64.b64encode(b"one").decode()
    assert texts(Secret(data={"a": encoded}, string_data={"b": "two"})) == {"a": "one", "b": "two"}
    for bad in ("%", "ü", base64.b64encode(b"\xff").decode()):
        with pytest.raises(Unusable):
            texts(Secret(data={"a": bad}))

"""The Secret that makes one mesh read another."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from mizzen.api.decode import decode
from mizzen.model.config import Config
from mizzen.sources.remote import targets
from tests.unit.cli.conftest import Mizzen
from tests.unit.cli.fake_mesh import FakeMesh


@pytest.mark.row("MCL-01")
def test_a_control_plane_reads_what_the_secret_says(mesh: FakeMesh, mizzen: Mizzen, state: Path) -> None:
    printed = mizzen("create-remote-secret", "--name", "b")
    raw = yaml.safe_load(printed.out)
    assert raw["metadata"]["name"] == "istio-remote-secret-b"
    assert raw["metadata"]["annotations"] == {"networking.istio.io/cluster": "b"}
    secret = decode(raw).object
    assert secret is not None
    found, findings = targets(Config().with_objects([secret]))
    assert findings == ()
    assert found["b"].socket == state / "default" / "run" / "sock"


@pytest.mark.row("MCL-01")
def test_the_cluster_is_named_after_kube_system(mesh: FakeMesh, mizzen: Mizzen) -> None:
    mesh.objects[("Namespace", "", "kube-system")] = {
        "kind": "Namespace",
        "metadata": {"name": "kube-system", "uid": "u-1"},
    }
    assert list(yaml.safe_load(mizzen("create-remote-secret").out)["stringData"]) == ["u-1"]
    mesh.objects.clear()
    assert "--name" in mizzen("create-remote-secret").err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--type", "config"), "not supported"),
        (("--auth-type", "plugin"), "run no programs"),
        (("--server", "https://1.2.3.4"), "unix:///PATH"),
    ],
)
def test_what_cannot_be_is_refused(mizzen: Mizzen, options: tuple[str, ...], said: str) -> None:
    done = mizzen("create-remote-secret", "--name", "b", *options)
    assert (done.code != 0, done.out) == (True, "")
    assert said in done.err


def test_options_without_effect_are_told(mesh: FakeMesh, mizzen: Mizzen) -> None:
    assert "no effect" in mizzen("create-remote-secret", "--name", "b", "--service-account", "reader").err
    given = mizzen("create-remote-secret", "--name", "b", "--server", "unix:///there/sock")
    assert ("unix:///there/sock" in given.out, given.err) == (True, "")

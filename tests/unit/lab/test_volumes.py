"""What a pod mounts, and the files in its volumes."""

from pathlib import Path
from typing import Any

import pytest

from mizzen.errors import LabError
from mizzen.lab.volumes import fill, mounts


def pod(volumes: list[dict[str, Any]], *containers: dict[str, Any]) -> dict[str, Any]:
    return {
        "metadata": {"name": "p", "namespace": "default", "labels": {"app": "p"}},
        "spec": {"containers": list(containers), "volumes": volumes},
    }


def container(name: str, volume: str, path: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "volumeMounts": [{"name": volume, "mountPath": path, **more}]}


def nothing(_kind: str, _namespace: str, _name: str) -> None:
    return None


def token(_pod: dict[str, Any], audience: str, seconds: int) -> str:
    return f"token for {audience} of {seconds} s"


def test_a_volume_is_mounted_where_containers_say(tmp_path: Path) -> None:
    made, clashes = mounts(
        pod([{"name": "v"}], container("a", "v", "/data/", readOnly=True)), Path("/scratch"), tmp_path
    )
    assert made == [{"source": "/scratch/v", "target": "/data", "read_only": True}]
    assert clashes == []


def test_two_volumes_at_one_path_are_told(tmp_path: Path) -> None:
    found = pod([{"name": "v"}, {"name": "w"}], container("a", "v", "/data"), container("b", "w", "/data"))
    made, clashes = mounts(found, Path("/scratch"), tmp_path)
    assert clashes == ["/data"]
    assert [each["source"] for each in made] == ["/scratch/w"]


def test_a_volume_that_the_pod_does_not_have_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="'v'"):
        mounts(pod([], container("a", "v", "/data")), Path("/scratch"), tmp_path)


def test_a_claim_keeps_its_directory(tmp_path: Path) -> None:
    claim = [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]
    made, _ = mounts(pod(claim, container("a", "v", "/data")), Path("/scratch"), tmp_path)
    assert made[0]["source"] == str(tmp_path / "default" / "c")
    assert (tmp_path / "default" / "c").is_dir()


def test_files_of_a_config_map_follow_it(tmp_path: Path) -> None:
    data = {"one": "1", "two": "2"}
    found = pod([{"name": "v", "configMap": {"name": "c"}}], container("a", "v", "/data"))

    def find(_kind: str, _namespace: str, _name: str) -> dict[str, Any]:
        return {"kind": "ConfigMap", "data": data}

    fill(found, tmp_path, find, token, 0)
    assert {file.name: file.read_text() for file in (tmp_path / "v").iterdir()} == {"one": "1", "two": "2"}
    del data["two"]
    data["one"] = "changed"
    fill(found, tmp_path, find, token, 0)
    assert {file.name: file.read_text() for file in (tmp_path / "v").iterdir()} == {"one": "changed"}


def test_a_missing_config_map_is_an_error_unless_optional(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="default/c does not exist"):
        fill(pod([{"name": "v", "configMap": {"name": "c"}}]), tmp_path, nothing, token, 0)
    fill(pod([{"name": "v", "configMap": {"name": "c", "optional": True}}]), tmp_path, nothing, token, 0)
    assert list((tmp_path / "v").iterdir()) == []


def test_a_projected_token_and_labels(tmp_path: Path) -> None:
    sources = [
        {"serviceAccountToken": {"path": "token", "audience": "istio-ca", "expirationSeconds": 600}},
        {"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
    ]
    fill(pod([{"name": "v", "projected": {"sources": sources}}]), tmp_path, nothing, token, 0)
    assert (tmp_path / "v" / "token").read_text() == "token for istio-ca of 600 s"
    assert (tmp_path / "v" / "labels").read_text() == 'app="p"'


def test_csi_volumes_are_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="CSI"):
        fill(pod([{"name": "v", "csi": {"driver": "x"}}]), tmp_path, nothing, token, 0)

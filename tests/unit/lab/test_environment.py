"""What a container runs, as whom, with which variables."""

from typing import Any

import pytest

from mizzen.errors import LabError
from mizzen.lab import environment
from mizzen.lab.images import Image

Raw = dict[str, Any]
POD: Raw = {
    "metadata": {"name": "p", "namespace": "n", "labels": {"app": "a"}, "uid": "u"},
    "spec": {"containers": []},
    "status": {"podIP": "10.1.1.1"},
}
IMAGE = Image(("/bin/app",), ("--default",), {"FROM_IMAGE": "1"})


def nothing(_kind: str, _namespace: str, _name: str) -> Raw | None:
    return None


@pytest.mark.parametrize(
    ("container", "words"),
    [
        ({}, ["/bin/app", "--default"]),
        ({"args": ["x"]}, ["/bin/app", "x"]),
        ({"command": ["y"]}, ["y"]),
        ({"command": ["y"], "args": ["x"]}, ["y", "x"]),
    ],
)
def test_command_and_arguments(container: Raw, words: list[str]) -> None:
    assert environment.command(container, IMAGE) == words


def test_an_unknown_image_without_command_says_what_to_do() -> None:
    with pytest.raises(LabError) as caught:
        environment.command({"image": "reg/some/thing:1"}, None)
    assert "thing" in caught.value.hint


def test_variables_refer_to_earlier_ones_and_fields() -> None:
    container = {
        "env": [
            {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            {"name": "URL", "value": "http://$(IP):80 $(UNKNOWN) $$(IP)"},
            {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
            {"name": "LABEL", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
        ],
        "resources": {"limits": {"cpu": "1500m"}},
    }
    values = environment.variables(container, POD, IMAGE, nothing)
    assert values["URL"] == "http://10.1.1.1:80 $(UNKNOWN) $(IP)"
    assert (values["CPU"], values["LABEL"], values["FROM_IMAGE"]) == ("2", "a", "1")


def test_a_missing_secret_is_an_error_unless_optional() -> None:
    reference = {"name": "s", "key": "k"}
    with pytest.raises(LabError, match="Secret n/s"):
        environment.variables({"env": [{"name": "A", "valueFrom": {"secretKeyRef": reference}}]}, POD, None, nothing)
    optional = {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {**reference, "optional": True}}}]}
    assert "A" not in environment.variables(optional, POD, None, nothing)


def test_nobody_is_root_unasked() -> None:
    user = environment.user({}, POD, 65532)
    assert (user.uid, user.gid, user.capabilities) == (65532, 65532, ())


def test_root_keeps_only_the_capabilities_it_names() -> None:
    own = {"runAsUser": 0, "capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN", "NET_RAW"]}}
    user = environment.user({"securityContext": own}, POD, 65532)
    assert (user.uid, user.capabilities) == (0, ("NET_ADMIN", "NET_RAW"))

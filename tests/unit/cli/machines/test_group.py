from __future__ import annotations

import pytest
import yaml

from tests.unit.cli.conftest import Mizzen


@pytest.mark.row("IX-34", "VM-01")
def test_a_group_is_printed_and_not_applied(mizzen: Mizzen) -> None:
    arguments = [
        "--name",
        "db",
        "-n",
        "vms",
        "-l",
        "app=db,version=1",
        "-l",
        "x=y",
        "-a",
        "team=a",
        "-p",
        "http=80,sql=5432",
    ]
    result = mizzen(
        *("x", "workload", "group", "create", *arguments),
        *("-s", "dba", "--network", "n1", "--locality", "r/z", "-w", "3"),
    )
    assert (result.code, result.err) == (0, "")
    assert yaml.safe_load(result.out) == {
        "apiVersion": "networking.istio.io/v1",
        "kind": "WorkloadGroup",
        "metadata": {"name": "db", "namespace": "vms"},
        "spec": {
            "metadata": {"labels": {"app": "db", "version": "1", "x": "y"}, "annotations": {"team": "a"}},
            "template": {
                "ports": {"http": 80, "sql": 5432},
                "serviceAccount": "dba",
                "network": "n1",
                "locality": "r/z",
                "weight": 3,
            },
        },
    }
    small = yaml.safe_load(mizzen("experimental", "workload", "group", "create", "--name", "db").out)
    assert small["metadata"]["namespace"] == "default"
    assert small["spec"] == {"template": {"serviceAccount": "default"}}


@pytest.mark.row("IX-34")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], 2),
        (["--name", "db", "-p", "http"], 2),
        (["--name", "db", "-p", "http=x"], 2),
        (["--name", "db", "-l", "=a"], 2),
    ],
)
def test_what_is_no_group(mizzen: Mizzen, arguments: list[str], code: int) -> None:
    assert mizzen("x", "workload", "group", "create", *arguments).code == code


@pytest.mark.row("IX-34")
def test_a_group_that_would_be_refused_is_not_printed(mizzen: Mizzen) -> None:
    result = mizzen("x", "workload", "group", "create", "--name", "db", "-p", "http=99999")
    assert (result.code, result.out) == (1, "")
    assert "99999" in result.err

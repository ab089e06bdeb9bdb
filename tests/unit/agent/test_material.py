"""Which key, and whose certificate."""

from __future__ import annotations

from pathlib import Path

import pytest

from mizzen.agent.material import NAMES, key_kind, mounted


@pytest.mark.row("CA-10")
@pytest.mark.parametrize(
    ("env", "kind"),
    [
        ({}, "P256"),
        ({"ECC_SIGNATURE_ALGORITHM": "ECDSA"}, "P256"),
        ({"ECC_SIGNATURE_ALGORITHM": "ECDSA", "ECC_CURVE": "P384"}, "P384"),
        ({"WORKLOAD_RSA_KEY_SIZE": "4096"}, "RSA4096"),
        ({"WORKLOAD_RSA_KEY_SIZE": "4096", "ECC_SIGNATURE_ALGORITHM": "ECDSA"}, "P256"),
    ],
)
def test_the_kind_of_key(env: dict[str, str], kind: str) -> None:
    assert key_kind(env) == kind


@pytest.mark.row("CA-10")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WORKLOAD_RSA_KEY_SIZE", "1024"),
        ("WORKLOAD_RSA_KEY_SIZE", "big"),
        ("ECC_CURVE", "P521"),
        ("ECC_SIGNATURE_ALGORITHM", "X"),
    ],
)
def test_what_is_refused_names_the_variable(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name):
        key_kind({name: value})


@pytest.mark.row("CW-02a")
def test_files_count_when_all_three_are_there(tmp_path: Path) -> None:
    env = {"MIZZEN_MOUNTED_CERTS": str(tmp_path)}
    assert mounted(env) is None
    assert mounted({**env, "FILE_MOUNTED_CERTS": "true"}) == tmp_path, "then the CA is never asked"
    for name in NAMES[:2]:
        (tmp_path / name).touch()
    assert mounted(env) is None
    (tmp_path / NAMES[2]).touch()
    assert mounted(env) == tmp_path


@pytest.mark.row("VM-05")
@pytest.mark.parametrize("name", ["OUTPUT_CERTS", "PROV_CERT"])
def test_what_the_agent_wrote_itself_is_renewed(tmp_path: Path, name: str) -> None:
    for file in NAMES:
        (tmp_path / file).write_text("x")
    assert mounted({"MIZZEN_MOUNTED_CERTS": str(tmp_path)}) == tmp_path
    assert mounted({"MIZZEN_MOUNTED_CERTS": str(tmp_path), name: str(tmp_path)}) is None

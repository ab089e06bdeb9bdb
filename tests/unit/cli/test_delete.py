from __future__ import annotations

from pathlib import Path

from tests.unit.cli.conftest import Mizzen
from tests.unit.cli.fake_mesh import FakeMesh, virtual_service

TITLE = "virtualservice.networking.istio.io"


def test_by_name_in_both_of_kubectls_forms(mesh: FakeMesh, mizzen: Mizzen) -> None:
    for name in ("a", "b", "c"):
        mesh.put(virtual_service(name))
    assert mizzen("delete", "vs", "a").out == f'{TITLE} "a" deleted\n'
    assert mizzen("delete", "vs/b", "virtualservice/c").out == f'{TITLE} "b" deleted\n{TITLE} "c" deleted\n'
    assert mesh.objects == {}


def test_from_a_file(mesh: FakeMesh, mizzen: Mizzen, tmp_path: Path) -> None:
    mesh.put(virtual_service("a"))
    path = tmp_path / "a.yaml"
    path.write_text(
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\nspec: {hosts: [a]}\n"
    )
    assert mizzen("delete", "-f", str(path)).code == 0
    assert mesh.objects == {}


def test_what_is_not_there_is_an_error_unless_ignored(mesh: FakeMesh, mizzen: Mizzen) -> None:
    result = mizzen("delete", "vs", "ghost")
    assert (result.code, result.out) == (1, "")
    assert f'{TITLE} "ghost" not found in namespace default' in result.err
    assert mizzen("delete", "vs", "ghost", "--ignore-not-found").code == 0


def test_a_kind_without_name_needs_all(mesh: FakeMesh, mizzen: Mizzen) -> None:
    mesh.put(virtual_service("a"))
    assert mizzen("delete", "vs").code == 2
    assert len(mesh.objects) == 1
    assert mizzen("delete", "vs", "--all").code == 0
    assert mesh.objects == {}


def test_a_dry_run_deletes_nothing(mesh: FakeMesh, mizzen: Mizzen) -> None:
    mesh.put(virtual_service("a"))
    assert mizzen("delete", "vs", "a", "--dry-run").out == f'{TITLE} "a" deleted (dry run)\n'
    assert len(mesh.objects) == 1


def test_nothing_said_is_wrong_usage(mesh: FakeMesh, mizzen: Mizzen) -> None:
    assert mizzen("delete").code == 2


def test_wait_asks_for_the_revision_of_the_deletion(mesh: FakeMesh, mizzen: Mizzen) -> None:
    mesh.put(virtual_service("a"))
    assert mizzen("delete", "vs", "a", "--wait").code == 0
    assert mesh.requests[-1][1:] == ("/v1/wait", {"revision": "2", "timeout": mesh.requests[-1][2]["timeout"]})

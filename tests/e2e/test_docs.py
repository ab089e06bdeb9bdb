"""Every command that the documentation shows does what the page says, in the order of the page."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.e2e.docs import PAGES, blocks, commands
from tests.e2e.mesh import ROOT, Mesh

pytestmark = pytest.mark.lab

TUTORIAL = ROOT / "docs" / "tutorial" / "first-mesh.md"


def test_every_page_of_the_reader_runs_as_printed(new_mesh: Callable[[], Mesh], tmp_path: Path) -> None:
    reader = new_mesh()
    for name in ("src", "demo", ".venv"):
        (tmp_path / name).symlink_to(ROOT / name)
    pages = [TUTORIAL, *(page for page in PAGES if page != TUTORIAL)]
    ran = 0
    for page in pages:
        if page.parent.name == "how-to":
            reader.run("up", "--detach", seconds=60)
        here = tmp_path
        for block in blocks(page):
            if block.file:
                (here / block.file).write_text(block.text)
            if block.language != "console":
                continue
            for command in commands(block):
                where = f"{page.relative_to(ROOT)}:{command.line}: {command.text}"
                if command.text.startswith("cd "):
                    here = tmp_path / command.text.removeprefix("cd ")
                    continue
                out = run(reader, command.text, here, where)
                missing = [line for line in command.shown if form(line) and form(line) not in form(out)]
                assert not missing, f"{where}\nshows {missing}\nbut it is\n{out}"
                ran += 1
    assert ran >= 20


def run(mesh: Mesh, text: str, directory: Path, where: str) -> str:
    """What a command of the page wrote, run by a shell in which ``mizzen`` means this mesh."""
    if "127.0.0.1:8080" in text:
        text = text.replace("http://127.0.0.1:8080", mesh.localhost())
    python = mesh.command("x")[0]
    script = (
        f'mizzen() {{ verb=$1; shift; "{python}" -m mizzen "$verb" --mesh {mesh.name} "$@"; }}; set -o pipefail; {text}'
    )
    done = subprocess.run(
        ["bash", "-c", script], cwd=directory, env=mesh.environment, capture_output=True, text=True, timeout=90
    )
    assert done.returncode == 0, f"{where}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def form(text: str) -> str:
    """Text without what differs between two runs: names of pods and meshes, numbers, times, spaces."""
    text = re.sub(r"-[a-z0-9]{10}-[a-z0-9]{5}\b", "-POD", text)
    text = re.sub(r"\bmesh \w+", "mesh M", text)
    text = re.sub(r"[0-9a-f]{30,}", "HEX", text)
    text = re.sub(r"(?<=\s)/[\w/.-]*/(default|t[0-9a-f]{8})\b", "STATE", text)
    text = re.sub(r"\d[\d.:TZ-]*", "N", text)
    return re.sub(r"\s+", " ", text.replace("…", "")).strip()


def test_every_object_on_a_page_is_valid(machine: None, tmp_path: Path) -> None:
    mesh = Mesh(tmp_path)
    found = [
        block for page in PAGES for block in blocks(page) if block.language == "yaml" and "apiVersion:" in block.text
    ]
    assert len(found) >= 4
    for block in found:
        assert all(yaml.safe_load_all(block.text))
        path = tmp_path / "objects.yaml"
        path.write_text(block.text)
        mesh.run("validate", "-f", str(path))

"""Habits that a machine can check: mirrored tests, small files, no paths of one machine."""

import ast
import re
import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src/mizzen"
MAX_LINES = 400
UNMIRRORED = yaml.safe_load((ROOT / "tests/architecture/unmirrored.yaml").read_text()) or {}
MODULES = sorted(p for p in SOURCE.rglob("*.py") if "proto" not in p.relative_to(SOURCE).parts)


def _test_of(module: Path) -> Path:
    relative = module.relative_to(SOURCE)
    return ROOT / "tests/unit" / relative.parent / f"test_{relative.name}"


def _does_something(module: Path) -> bool:
    """Whether a module has any function; types and constants have nothing of their own to test."""
    tree = ast.parse(module.read_text())
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in ast.walk(tree))


def _excused(name: str) -> bool:
    return any(name == entry or (entry.endswith("/") and name.startswith(entry)) for entry in UNMIRRORED)


def test_every_module_has_its_mirrored_test() -> None:
    missing = [
        str(_test_of(module).relative_to(ROOT))
        for module in MODULES
        if module.name not in ("__init__.py", "__main__.py")
        and _does_something(module)
        and not _excused(str(module.relative_to(SOURCE)))
        and not _test_of(module).is_file()
    ]
    assert not missing, "\n".join(missing)


def test_the_list_of_exceptions_is_current() -> None:
    names = {str(m.relative_to(SOURCE)) for m in MODULES}
    for entry, reason in UNMIRRORED.items():
        assert any(name == entry or name.startswith(entry) for name in names), f"{entry} is gone"
        assert isinstance(reason, str)
        assert len(reason) > 10, f"{entry} needs a reason"
        assert entry.endswith("/") or not _test_of(SOURCE / entry).exists(), f"{entry} has a test now"


def test_files_stay_small() -> None:
    sizes = {str(m.relative_to(SOURCE)): len(m.read_text().splitlines()) for m in MODULES}
    assert {name: size for name, size in sizes.items() if size > MAX_LINES} == {}


def test_dependencies_are_pinned_and_name_no_registry() -> None:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    packages = [line for line in lines if line and not line.startswith((" ", "#"))]
    assert packages
    assert [line for line in packages if not re.match(r"[\w.\[\]-]+==\S+ (;.* )?\\$", line)] == []
    for name in ("requirements.lock", "pyproject.toml", "packaging/setup.sh", "Makefile"):
        assert re.search(r"https?://|--(extra-)?index-url|--find-links", (ROOT / name).read_text()) is None, name


def test_no_file_names_a_path_of_one_machine() -> None:
    pattern = re.compile(r"(?<![\w.}])/(?:work|root|home/[a-z])/")
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    for name in filter(None, names.split("\0")):
        file = ROOT / name
        if file == Path(__file__) or not file.is_file():
            continue
        text = file.read_bytes().decode(errors="replace")
        match = pattern.search(text)
        assert match is None, f"{name} names {match[0]}" if match else ""

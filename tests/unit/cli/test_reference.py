from __future__ import annotations

import importlib.util
from pathlib import Path

GENERATOR = Path(__file__).parents[3] / "docs" / "reference" / "generate_cli.py"


def test_the_reference_is_what_the_commands_say() -> None:
    spec = importlib.util.spec_from_file_location("generate_cli", GENERATOR)
    assert spec is not None
    assert spec.loader is not None
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    assert generator.PAGE.read_text() == generator.page(), "run: python docs/reference/generate_cli.py"

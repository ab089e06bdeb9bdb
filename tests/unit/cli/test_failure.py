from __future__ import annotations

from mizzen.cli.failure import Exit, Failure
from mizzen.errors import MeshError


def test_the_codes_are_those_of_the_product() -> None:
    assert [(code.name, code.value) for code in Exit] == [
        ("DONE", 0),
        ("ERROR", 1),
        ("USAGE", 2),
        ("CHECK_FAILED", 3),
        ("NOT_READY", 4),
        ("DISAGREEMENT", 5),
        ("NOT_STARTED", 125),
        ("INTERRUPTED", 130),
    ]


def test_a_failure_is_an_error_of_the_mesh_and_ends_with_1_unless_it_says_otherwise() -> None:
    failure = Failure("no such pod", hint="`mizzen ps` shows every pod")
    assert isinstance(failure, MeshError)
    assert (str(failure), failure.hint, failure.code) == ("no such pod", "`mizzen ps` shows every pod", Exit.ERROR)
    assert Failure(code=Exit.USAGE).code == 2

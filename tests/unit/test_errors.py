"""Errors say where and what to do next."""

from mizzen.errors import CsrRejected, DecodeError, LabError, MeshError


def test_texts() -> None:
    assert str(DecodeError("no kind", "a.yaml", 3)) == "a.yaml:3: no kind"
    assert str(DecodeError("no kind")) == "no kind"
    assert CsrRejected("why").reason == "why"
    assert LabError("no root", hint="use sudo").hint == "use sudo"
    assert issubclass(DecodeError, MeshError)

"""Base64 as protobuf's JSON form takes it."""

import pytest

from mizzen.api.base64_text import decoded


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("eA==", b"x"),
        ("eA", b"x"),
        ("_-8=", b"\xff\xef"),
        ("/+8=", b"\xff\xef"),
        ("", b""),
        ("!!!", None),
        ("a", None),
        ("\u00e9", None),
    ],
)
def test_decoded(text: str, data: bytes | None) -> None:
    assert decoded(text) == data

"""The image map."""

import pytest

from mizzen.errors import LabError
from mizzen.lab import images


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("docker.io/istio/examples-bookinfo-details-v1:1.20", "examples-bookinfo-details-v1"),
        ("localhost:5000/x/curl@sha256:abc", "curl"),
        ("auto", "auto"),
    ],
)
def test_registry_tag_and_digest_do_not_count(image: str, name: str) -> None:
    assert images.short_name(image) == name


def test_samples_run_in_the_mounted_interpreter() -> None:
    table = images.built_in({"httpbin": (("-m", "x"), {"A": "1"}, {"/bin/y": ("-m", "y")})})
    assert table["httpbin"].entrypoint == (images.PYTHON, "-m", "x")
    assert table["proxyv2"].entrypoint == (images.AGENT,)
    written = images.scripts([table["httpbin"], table["proxyv2"]])
    assert written == {"/bin/y": f'#!/bin/sh\nexec {images.PYTHON} -m y "$@"\n'}


def test_settings_take_a_line_or_a_list_and_refuse_anything_else() -> None:
    assert images.from_settings({"r/mine:1": "run --fast"})["mine"].entrypoint == ("run", "--fast")
    with pytest.raises(LabError, match=r"images\.mine"):
        images.from_settings({"mine": {}})

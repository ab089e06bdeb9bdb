from __future__ import annotations

from mizzen.analyze.annotation_table import ANNOTATIONS, ANY
from mizzen.api.kinds import kinds_named


def test_every_kind_is_known() -> None:
    kinds = {kind for annotation in ANNOTATIONS.values() for kind in annotation.kinds}
    assert all(kind == ANY or kinds_named(kind) for kind in kinds)


def test_a_replacement_belongs_to_what_is_deprecated() -> None:
    assert all(annotation.deprecated for annotation in ANNOTATIONS.values() if annotation.instead)

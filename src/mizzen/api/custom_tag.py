"""Tags of spans that a user defines. Envoy refuses a whole listener for one that it cannot read (rows TM-10, TR-09)."""

from __future__ import annotations

from collections.abc import Iterator

from mizzen.api import log_format
from mizzen.api.mesh_config import CustomTag


def problem(name: str, tag: CustomTag) -> tuple[str, str] | None:
    """The field at fault, below the tag, and what is wrong with it; None for a good one."""
    given = [kind for kind in (tag.literal, tag.environment, tag.header, tag.formatter) if kind is not None]
    if not name:
        return "", "a tag needs a name"
    if len(given) != 1:
        return "", "one of literal, environment, header and formatter is required"
    return next(_wrong(tag), None)


def _wrong(tag: CustomTag) -> Iterator[tuple[str, str]]:
    if tag.literal is not None and not tag.literal.value:
        yield "literal.value", "a value is required"
    if tag.environment is not None and not tag.environment.name:
        yield "environment.name", "a name is required"
    if tag.header is not None and not tag.header.name:
        yield "header.name", "a name is required"
    if tag.header is not None and not log_format.is_header_name(tag.header.name):
        yield "header.name", f"{tag.header.name!r} is no header name"
    if tag.formatter is not None:
        wrong = log_format.problem_in_value(tag.formatter.value) if tag.formatter.value else "a value is required"
        if wrong:
            yield "formatter.value", wrong

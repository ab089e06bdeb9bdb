"""Kubernetes quantities such as ``2000m`` and ``1Gi``, in their canonical spelling."""

from __future__ import annotations

import re
from decimal import Decimal, DecimalException

_FORM = re.compile(r"^([+-]?(?:\d+(?:\.\d*)?|\.\d+))(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?\d+)?$")
_LONGEST = 100
"""Characters of a quantity; a number of more digits has no meaning for a processor or a memory."""
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_DECIMAL = ("n", "u", "m", "", "k", "M", "G", "T", "P", "E")


def canonical(text: str) -> str:
    """The shortest spelling with the same value: ``4000m`` is ``4``, ``1024Mi`` is ``1Gi``.

    Raises ValueError when ``text`` is no quantity.
    """
    match = _FORM.match(text.strip()) if len(text) <= _LONGEST else None
    if match is None:
        raise ValueError(f"{text[:_LONGEST]!r} is not a quantity such as 100m or 128Mi")
    number, suffix = Decimal(match[1]), match[2] or ""
    try:
        if suffix[:1] in ("e", "E") and len(suffix) > 1:
            number, suffix = number.scaleb(int(suffix[1:])), ""
        if suffix in _BINARY[1:]:
            return _spell(number, suffix, _BINARY, 1024)
        return _spell(number, suffix, _DECIMAL, 1000)
    except DecimalException:
        raise ValueError("the quantity has too many digits") from None


def _spell(number: Decimal, suffix: str, suffixes: tuple[str, ...], step: int) -> str:
    at = suffixes.index(suffix)
    while number != number.to_integral_value() and at > 0:
        number, at = number * step, at - 1
    while number and number % step == 0 and at + 1 < len(suffixes):
        number, at = number / step, at + 1
    return f"{int(number) if number == number.to_integral_value() else number}{suffixes[at]}"

"""Tables, JSON, YAML and names on stdout, as kubectl prints them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

_GAP = 3


def table(header: Sequence[str], rows: Sequence[Sequence[str]], headers: bool = True, gap: int = _GAP) -> str:
    """Left-aligned columns, ``gap`` spaces apart (kubectl: 3, istioctl: 5), none trailing."""
    lines = [list(header), *[list(row) for row in rows]] if headers else [list(row) for row in rows]
    if not lines:
        return ""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join(
        "".join(cell.ljust(width + gap) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def to_json(data: Any) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False, sort_keys=False)


def to_yaml(data: Any) -> str:
    """YAML in the order of ``data``, text over several lines as blocks."""
    import yaml

    class Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
        pass

    def text(dumper: Any, value: str) -> Any:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, text)
    return str(yaml.dump(data, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=10**9)).rstrip("\n")


def emit(text: str) -> None:
    """Data: to stdout."""
    if text:
        print(text)


def note(text: str) -> None:
    """Everything that is not data: to stderr."""
    print(text, file=sys.stderr, flush=True)


def colored(text: str, code: str) -> str:
    """``text`` in the ANSI colour ``code`` when stderr is a terminal that wants colours (https://no-color.org)."""
    wants = sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return f"\x1b[{code}m{text}\x1b[0m" if wants else text


def age(timestamp: str, now: datetime | None = None) -> str:
    """How long ago an RFC 3339 time was, in kubectl's short form: ``42s``, ``3m12s``, ``5h``, ``2d4h``."""
    if not timestamp:
        return "<unknown>"
    try:
        then = datetime.fromisoformat(timestamp)
    except ValueError:
        return "<invalid>"
    if then.tzinfo is None:
        then = then.replace(tzinfo=UTC)
    return span(int(((now or datetime.now(UTC)) - then).total_seconds()))


def span(seconds: int) -> str:
    """Seconds in kubectl's short form (``duration.HumanDuration``)."""
    seconds = max(seconds, 0)
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return _two(minutes, "m", seconds % 60, "s")
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    return f"{days}d" if days < 730 else _two(days // 365, "y", days % 365, "d")


def _two(major: int, unit: str, minor: int, small: str) -> str:
    return f"{major}{unit}{minor}{small}" if minor else f"{major}{unit}"

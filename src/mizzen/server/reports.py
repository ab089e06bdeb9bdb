"""What agents say of the modules that they fetch (row AG-12). Each speaks for its own proxy, and for its present life."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from mizzen.errors import ProtocolError
from mizzen.model.extension import Fetched
from mizzen.server.node import Node

MOST = 256
"""Modules of which one agent may speak."""
STRANGERS = 1024
"""Agents that may have spoken before their proxy came; each may say some 150 kB."""
_LONGEST = 500


class Reports:
    """The newest word of each agent, by node id."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[str, dict[str, Fetched]]] = {}

    def of(self, node: Node) -> dict[str, Fetched] | None:
        """None when the agent has said nothing since it started."""
        boot, modules = self._held.get(node.id, ("", {}))
        return modules if boot and boot == node.boot else None

    def take(self, node: Node, modules: Mapping[str, Fetched]) -> bool:
        """Whether that is news."""
        said = (node.boot, dict(modules))
        if self._held.get(node.id) == said:
            return False
        self._held[node.id] = said
        return True

    def __len__(self) -> int:
        return len(self._held)

    def keep(self, ids: Collection[str]) -> None:
        """Forget all others: an agent speaks again with each of its polls."""
        self._held = {node: said for node, said in self._held.items() if node in ids}


def parse(written: Any) -> dict[str, Fetched]:
    """``{key: {"sha256"} or {"error"}}`` as an agent sends it. Raises ProtocolError."""
    if not isinstance(written, dict) or len(written) > MOST:
        raise ProtocolError(f"modules is no map of at most {MOST}")
    return {key: _fetched(key, state) for key, state in written.items()}


def _fetched(key: str, state: Any) -> Fetched:
    if not re.fullmatch("[0-9a-f]{32}", key) or not isinstance(state, dict):
        raise ProtocolError("a module that is none")
    digest, error = state.get("sha256", ""), state.get("error", "")
    if (
        not isinstance(digest, str)
        or not isinstance(error, str)
        or (digest and not re.fullmatch("[0-9a-f]{64}", digest))
    ):
        raise ProtocolError(f"the state of module {key} is not understood")
    text = "".join(c if c.isprintable() else "?" for c in error[:_LONGEST])
    return Fetched(digest, "" if digest else text or "no reason given")

"""Who may list the Secrets of a namespace, as the API server sees it: what a proxy must be allowed before it is sent one.

It is data. On one machine it is judged from the mesh's own objects; where an API server answers reviews, the shell that
asks it puts the answers here, and the core stays without I/O (row GW-31).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

EVERYWHERE = ""
"""In place of a namespace: all of them."""


class AuthorizationMode(StrEnum):
    """How the API server decides, by the words of kube-apiserver's ``--authorization-mode``."""

    ALWAYS_ALLOW = "AlwaysAllow"
    RBAC = "RBAC"


class SubjectKind(StrEnum):
    USER = "User"
    GROUP = "Group"


@dataclass(frozen=True)
class Grant:
    """That one user, or each member of a group, may list the Secrets of ``namespace`` (``EVERYWHERE``: of each)."""

    kind: SubjectKind
    name: str
    namespace: str


@dataclass(frozen=True)
class SecretAccess:
    """Every grant there is. Equal for equal grants, whatever objects they came from."""

    everyone: bool = False
    grants: frozenset[Grant] = frozenset()

    def allows(self, namespace: str, account: str) -> bool:
        """Whether the service account ``account`` of ``namespace`` may list the Secrets of its own namespace."""
        if self.everyone:
            return True
        subjects = [(SubjectKind.USER, user_of(namespace, account))]
        subjects += [(SubjectKind.GROUP, group) for group in _groups(namespace)]
        return any(
            Grant(kind, name, where) in self.grants for kind, name in subjects for where in (namespace, EVERYWHERE)
        )


EVERYONE = SecretAccess(everyone=True)


def reviewed(allowed: Iterable[tuple[str, str]]) -> SecretAccess:
    """What an API server's reviews said: ``allowed`` are the (namespace, account) that may list there. Who was not asked
    about is refused."""
    return SecretAccess(grants=frozenset(Grant(SubjectKind.USER, user_of(*pair), pair[0]) for pair in allowed))


def user_of(namespace: str, account: str) -> str:
    """The name under which an API server knows a service account."""
    return f"system:serviceaccount:{namespace}:{account}"


def _groups(namespace: str) -> tuple[str, ...]:
    """Those that an API server counts every service account of a namespace to."""
    return "system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"

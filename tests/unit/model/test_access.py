"""Grants and the question that is asked of them."""

from __future__ import annotations

import pytest

from mizzen.model.access import EVERYONE, EVERYWHERE, Grant, SecretAccess, SubjectKind, reviewed


def one(kind: SubjectKind, name: str, namespace: str) -> SecretAccess:
    return SecretAccess(grants=frozenset({Grant(kind, name, namespace)}))


@pytest.mark.row("GW-31")
def test_nobody_may_without_a_grant_and_everyone_where_nothing_is_judged() -> None:
    assert not SecretAccess().allows("shop", "edge")
    assert EVERYONE.allows("shop", "edge")


@pytest.mark.row("GW-31")
@pytest.mark.parametrize("where", ["shop", EVERYWHERE])
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (SubjectKind.USER, "system:serviceaccount:shop:edge"),
        (SubjectKind.GROUP, "system:serviceaccounts:shop"),
        (SubjectKind.GROUP, "system:serviceaccounts"),
        (SubjectKind.GROUP, "system:authenticated"),
    ],
)
def test_a_service_account_is_a_user_and_of_three_groups(kind: SubjectKind, name: str, where: str) -> None:
    assert one(kind, name, where).allows("shop", "edge")


@pytest.mark.row("GW-31")
@pytest.mark.parametrize(
    "access",
    [
        one(SubjectKind.USER, "system:serviceaccount:shop:edge", "bank"),
        one(SubjectKind.USER, "system:serviceaccount:bank:edge", "shop"),
        one(SubjectKind.USER, "edge", "shop"),
        one(SubjectKind.GROUP, "system:serviceaccount:shop:edge", "shop"),
        one(SubjectKind.GROUP, "system:serviceaccounts:bank", EVERYWHERE),
        one(SubjectKind.USER, "system:serviceaccounts", EVERYWHERE),
    ],
)
def test_what_is_granted_to_others_or_elsewhere_does_not_count(access: SecretAccess) -> None:
    assert not access.allows("shop", "edge")


@pytest.mark.row("GW-31")
def test_a_review_holds_for_the_account_it_was_about() -> None:
    access = reviewed([("shop", "edge")])
    assert access.allows("shop", "edge")
    assert not access.allows("shop", "other")
    assert not access.allows("bank", "edge")

"""Views and policies."""

from mizzen.api.meta import Object, ObjectMeta
from mizzen.model.view import Policies


def test_policies_are_true_when_one_is_in_force() -> None:
    assert not Policies()
    assert Policies(deny=(Object(kind="AuthorizationPolicy", meta=ObjectMeta(), body=None),))

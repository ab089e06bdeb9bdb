from __future__ import annotations

from mizzen.api.meta import Object, ObjectMeta
from mizzen.model import generated


def test_what_the_gateway_api_became_is_known_by_a_name_that_no_user_can_give() -> None:
    assert generated.of_gateway_api(
        Object(kind="Gateway", meta=ObjectMeta(name=f"gw{generated.INFIX}~http"), body=None)
    )
    assert not generated.of_gateway_api(Object(kind="Gateway", meta=ObjectMeta(name="gw"), body=None))


def test_the_mark_of_routes() -> None:
    meta = ObjectMeta(name="x", annotations={generated.ROUTE_SEMANTICS: generated.GATEWAY})
    assert generated.by_segments(Object(kind="VirtualService", meta=meta, body=None))
    assert not generated.by_segments(Object(kind="VirtualService", meta=ObjectMeta(name="x"), body=None))

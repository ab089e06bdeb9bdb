from mizzen.model.authorizer import Authorizer


def test_by_default_it_has_ten_minutes_and_fails_closed() -> None:
    authorizer = Authorizer("a", "authz.shop.svc.cluster.local", 9000)
    assert authorizer.timeout.seconds == 600
    assert not authorizer.fail_open

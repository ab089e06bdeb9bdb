"""Service addresses as nftables text."""

from mizzen.lab.vip import Backend, Virtual, render

ONE, TWO = Backend("10.1.1.1", 9080), Backend("10.1.1.2", 9081)


def test_one_backend_is_a_plain_translation() -> None:
    text = render([Virtual("10.9.0.1", 80, "tcp", (ONE,))], "10.9.0.0/17", "10.1.0.2", [])
    assert "ip daddr 10.9.0.1 tcp dport 80 dnat to 10.1.1.1:9080" in text


def test_several_backends_share_at_random_whatever_their_order() -> None:
    text = render([Virtual("10.9.0.1", 80, "tcp", (TWO, ONE))], "10.9.0.0/17", "10.1.0.2", [])
    assert "dnat ip to numgen random mod 2 map { 0 : 10.1.1.1 . 9080, 1 : 10.1.1.2 . 9081 }" in text
    assert text == render([Virtual("10.9.0.1", 80, "tcp", (ONE, TWO))], "10.9.0.0/17", "10.1.0.2", [])


def test_what_has_no_backend_is_refused_not_translated() -> None:
    text = render([Virtual("10.9.0.1", 80, "tcp")], "10.9.0.0/17", "10.1.0.2", [])
    assert "dport 80" not in text
    assert "ip daddr 10.9.0.0/17 meta l4proto tcp reject with tcp reset" in text


def test_a_pod_that_reaches_itself_sees_the_node() -> None:
    text = render([], "10.9.0.0/17", "10.1.0.2", ["10.1.1.1"])
    assert "elements = { 10.1.1.1 . 10.1.1.1 }" in text
    assert "ip saddr . ip daddr @itself snat to 10.1.0.2" in text

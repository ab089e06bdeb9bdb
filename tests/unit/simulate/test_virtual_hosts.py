import pytest
from envoy.config.route.v3 import route_components_pb2, route_pb2

from mizzen.simulate.virtual_hosts import choose


def config(*, ports_ignored: bool = True, **domains: str) -> route_pb2.RouteConfiguration:
    hosts = [route_components_pb2.VirtualHost(name=name, domains=text.split()) for name, text in domains.items()]
    return route_pb2.RouteConfiguration(virtual_hosts=hosts, ignore_port_in_host_matching=ports_ignored)


HELD = config(
    any="*",
    exact="a.test b.test:81",
    far="*.test",
    near="*.b.test",
    dash="*-x.b.test",
    prefix="a.*",
    longer="a.b.*",
)


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("a.test", "exact"),
        ("A.TEST", "exact"),
        ("a.test:8080", "exact"),
        ("c.test", "far"),
        ("c.b.test", "near"),
        ("c-x.b.test", "dash"),
        ("-x.b.test", "near"),
        (".test", "any"),
        ("a.example", "prefix"),
        ("a.b.example", "longer"),
        ("a.", "any"),
        ("other", "any"),
        ("", "any"),
        ("[fd00::1]:80", "any"),
    ],
)
def test_the_closest_domain_takes_the_host(host: str, name: str) -> None:
    found, step = choose(HELD, host)
    assert found is not None
    assert found.name == step.chosen == name


def test_a_port_counts_where_it_is_not_ignored() -> None:
    strict = config(ports_ignored=False, exact="a.test", port="a.test:81")
    assert choose(strict, "a.test:81")[1].chosen == "port"
    assert choose(strict, "a.test:82")[0] is None


def test_an_address_in_brackets_keeps_its_colons() -> None:
    six = config(six="[fd00::1]")
    assert choose(six, "[fd00::1]:80")[1].chosen == "six"
    assert choose(six, "[fd00::1]")[1].chosen == "six"


def test_what_lost_is_told() -> None:
    assert [c.why_not for c in choose(HELD, "a.test")[1].others] == [
        "* fits too, but a.test is closer",
        "*.test fits too, but a.test is closer",
        "a.* fits too, but a.test is closer",
    ]
    many = config(**{f"h{n}": f"h{n}.test" for n in range(30)})
    step = choose(many, "x")[1]
    assert step.why == "no domain fits x"
    assert [step.others[0].why_not, step.others[-1].why_not] == ["its domains are h0.test", "10 more do not fit either"]

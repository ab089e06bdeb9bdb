"""Random route tables, small enough that requests often meet them."""

from __future__ import annotations

import random

from envoy.config.route.v3 import route_components_pb2 as rc
from envoy.config.route.v3 import route_pb2
from envoy.type.matcher.v3 import regex_pb2, string_pb2
from envoy.type.v3.range_pb2 import Int64Range

WORDS = ("a", "b", "ab", "x")
HOSTS = (
    "a.test",
    "a.b.test",
    "a.x.test",
    "b.a.test",
    "c.b.a.test",
    "x-b.a.test",
    "a.b",
    "a.b.c",
    "other",
    "A.Test",
    "a.test:8080",
    "10.0.0.1",
)
DOMAINS = (
    "a.test",
    "*.test",
    "*.a.test",
    "*-b.a.test",
    "a.*",
    "a.b.*",
    "*",
    "other",
    "b.a.test",
    "*.b.a.test",
    "10.0.0.1",
)
PATHS = (
    "/",
    "/a",
    "/a/",
    "/a/b",
    "/ab",
    "/A",
    "/a/../b",
    "/b//a",
    "/v1/a",
    "/%61",
    "/a%2Fb",
    "/b?a=1",
    "/a?a=b&b",
    "/v2?",
)
VALUES = ("1", "5", "a", "ab", "xa", "A", "")


def text(rng: random.Random) -> string_pb2.StringMatcher:
    kind = rng.choice(("exact", "prefix", "suffix", "contains", "safe_regex"))
    if kind == "safe_regex":
        return string_pb2.StringMatcher(
            safe_regex=regex_pb2.RegexMatcher(regex=rng.choice(("a.*", "[0-9]", ".*", "a|x")))
        )
    return string_pb2.StringMatcher(**{kind: rng.choice(("a", "ab", "1"))}, ignore_case=rng.random() < 0.3)


def header(rng: random.Random) -> rc.HeaderMatcher:
    if rng.random() < 0.15:
        method = string_pb2.StringMatcher(exact=rng.choice(("GET", "PUT")))
        return rc.HeaderMatcher(name=":method", string_match=method)
    message = rc.HeaderMatcher(
        name=rng.choice(("x-a", "X-B")),
        invert_match=rng.random() < 0.3,
        treat_missing_header_as_empty=rng.random() < 0.3,
    )
    kind = rng.choice(("present", "string", "range"))
    if kind == "present":
        message.present_match = rng.random() < 0.7
    elif kind == "string":
        message.string_match.CopyFrom(text(rng))
    else:
        message.range_match.CopyFrom(Int64Range(start=0, end=rng.choice((2, 6))))
    return message


def query(rng: random.Random) -> rc.QueryParameterMatcher:
    message = rc.QueryParameterMatcher(name=rng.choice(("a", "b")))
    if rng.random() < 0.5:
        message.present_match = rng.random() < 0.6
    else:
        message.string_match.CopyFrom(text(rng))
    return message


def match(rng: random.Random) -> rc.RouteMatch:
    if rng.random() < 0.5:
        conditions = rc.RouteMatch(prefix="/", headers=[header(rng) for _ in range(rng.randint(0, 2))])
        conditions.query_parameters.extend(query(rng) for _ in range(rng.randint(0, 1)))
        return conditions
    message = rc.RouteMatch()
    kind = rng.choice(("prefix", "path", "path_separated_prefix", "safe_regex"))
    if kind == "safe_regex":
        message.safe_regex.regex = rng.choice(("/v[0-9]/?.*", "/a", ".*b", "/"))
    elif kind == "path_separated_prefix":
        message.path_separated_prefix = rng.choice(("/a", "/b", "/v1"))
    else:
        setattr(message, kind, rng.choice(("/a", "/a/b", "/b", "/A", "/v1", "/")))
    if kind != "safe_regex" and rng.random() < 0.3:
        message.case_sensitive.value = False
    message.headers.extend(header(rng) for _ in range(rng.choice((0, 0, 0, 1, 2))))
    message.query_parameters.extend(query(rng) for _ in range(rng.choice((0, 0, 0, 1))))
    return message


def redirect(rng: random.Random) -> rc.RedirectAction:
    message = rc.RedirectAction(response_code=rng.choice((0, 1, 2, 3, 4)), strip_query=rng.random() < 0.3)
    if rng.random() < 0.4:
        message.host_redirect = "new.test"
    if rng.random() < 0.3:
        message.port_redirect = 8443
    scheme = rng.random()
    if scheme < 0.3:
        message.https_redirect = True
    elif scheme < 0.4:
        message.scheme_redirect = "https"
    path = rng.random()
    if path < 0.3:
        message.path_redirect = rng.choice(("/new", "/new?z=1"))
    elif path < 0.5:
        message.prefix_rewrite = "/c"
    elif path < 0.6:
        message.regex_rewrite.pattern.regex, message.regex_rewrite.substitution = "/([a-z])", r"/<\1>"
    return message


def table(rng: random.Random) -> route_pb2.RouteConfiguration:
    """Virtual hosts with disjoint domains; each route is called ``host|index`` and answers so, unless it redirects."""
    free = list(DOMAINS)
    rng.shuffle(free)
    config = route_pb2.RouteConfiguration(name="it", ignore_port_in_host_matching=rng.random() < 0.7)
    for number in range(rng.randint(2, 4)):
        host = config.virtual_hosts.add(name=f"h{number}", domains=[free.pop() for _ in range(rng.randint(1, 3))])
        for _ in range(rng.randint(1, 5)):
            route = host.routes.add(match=match(rng))
            if rng.random() < 0.25:
                route.redirect.CopyFrom(redirect(rng))
    return config

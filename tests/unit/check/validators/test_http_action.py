"""Redirects, rewrites, faults, mirrors, CORS."""

from typing import Any

import pytest

from tests.unit.check.judging import errors, route, warnings


@pytest.mark.parametrize(("fields", "wrong"), [
    ({"rewrite": {"uri": "/"}}, []),
    ({"rewrite": {}}, ["rewrite"]),
    ({"rewrite": {"uri": "/", "uriRegexRewrite": {"match": "a", "rewrite": "b"}}}, ["rewrite.uriRegexRewrite"]),
    ({"rewrite": {"uriRegexRewrite": {"match": "[", "rewrite": ""}}}, ["rewrite.uriRegexRewrite.match", "rewrite.uriRegexRewrite.rewrite"]),
    ({"rewrite": {"uri": "/a\nb", "authority": "c\r"}}, ["rewrite.uri", "rewrite.authority"]),
    ({"rewrite": {"uriRegexRewrite": {"match": "a", "rewrite": "b\n"}}}, ["rewrite.uriRegexRewrite.rewrite"]),
    ({"fault": {}}, ["fault"]),
    ({"fault": {"delay": {"fixedDelay": "3s", "percentage": {"value": 0.1}}}}, []),
    ({"fault": {"delay": {"percentage": {"value": 101}}}}, ["fault.delay.percentage.value", "fault.delay.fixedDelay"]),
    ({"fault": {"delay": {"exponentialDelay": "3s"}}}, ["fault.delay.exponentialDelay"]),
    ({"fault": {"abort": {"httpStatus": 199}}}, ["fault.abort.httpStatus"]),
    ({"fault": {"abort": {"grpcStatus": "14"}}}, ["fault.abort.grpcStatus"]),
    ({"fault": {"abort": {"grpcStatus": "UNAVAILABLE"}}}, []),
    ({"fault": {"abort": {"http2Error": "x"}}}, ["fault.abort.http2Error"]),
    ({"fault": {"abort": {}}}, ["fault.abort"]),
    ({"mirror": {"host": "c"}, "mirrors": [{"destination": {"host": "c"}}]}, ["mirrors"]),
    ({"mirrors": [{"percentage": {"value": 200}}]}, ["mirrors[0].destination", "mirrors[0].percentage.value"]),
    ({"mirrorPercentage": {"value": -1}}, ["mirrorPercentage.value"]),
    ({"corsPolicy": {"allowMethods": ["GET", "*"], "allowOrigins": [{"exact": "*"}], "maxAge": "2s"}}, []),
    ({"corsPolicy": {"allowMethods": ["PUTT"], "allowHeaders": [""], "maxAge": "1.5s"}},
     ["corsPolicy.allowMethods[0]", "corsPolicy.allowHeaders[0]", "corsPolicy.maxAge"]),
    ({"corsPolicy": {"allowOrigins": [{}, {"regex": "["}]}}, ["corsPolicy.allowOrigins[0]", "corsPolicy.allowOrigins[1].regex"]),
])  # fmt: skip
def test_fields(fields: dict[str, Any], wrong: list[str]) -> None:
    assert errors("VirtualService", route(**fields)) == [f"spec.http[0].{w}" for w in wrong]


@pytest.mark.parametrize(("entry", "wrong"), [
    ({"redirect": {"uri": "/", "redirectCode": 308}}, []),
    ({"redirect": {}}, ["redirect"]),
    ({"redirect": {"uri": "/", "redirectCode": 304}}, ["redirect.redirectCode"]),
    ({"redirect": {"uri": "/", "prefixRewrite": "/a"}}, ["redirect.prefixRewrite"]),
    ({"redirect": {"scheme": "ftp", "port": 0}}, ["redirect.scheme", "redirect.port"]),
    ({"match": [{"uri": {"exact": "/"}}], "redirect": {"prefixRewrite": "/a"}}, ["redirect.prefixRewrite"]),
    ({"redirect": {"uri": "/a\nb", "authority": "c\0"}}, ["redirect.authority", "redirect.uri"]),
    ({"redirect": {"prefixRewrite": "/a\nb"}}, ["redirect.prefixRewrite"]),
    ({"directResponse": {"status": 600}}, ["directResponse.status"]),
    ({"directResponse": {"status": 200, "body": {"string": "x" * (1 << 20)}}}, []),
    ({"directResponse": {"status": 200, "body": {"string": "x" * ((1 << 20) + 1)}}}, ["directResponse.body"]),
    ({"directResponse": {"status": 200, "body": {"bytes": "eA=="}}}, []),
])  # fmt: skip
def test_answers_of_the_proxy(entry: dict[str, Any], wrong: list[str]) -> None:
    assert errors("VirtualService", {"hosts": ["a"], "http": [entry]}) == [f"spec.http[0].{w}" for w in wrong]


def test_old_fields_are_warned_about() -> None:
    assert warnings("VirtualService", route(mirrorPercent=5)) == ["spec.http[0].mirrorPercent"]
    assert warnings("VirtualService", route(fault={"delay": {"percent": 5, "fixedDelay": "1s"}})) == [
        "spec.http[0].fault.delay.percent"
    ]
    big = {"hosts": ["a"], "http": [{"directResponse": {"status": 200, "body": {"string": "x" * 200_000}}}]}
    assert warnings("VirtualService", big) == ["spec.http[0].directResponse.body"]
    plain = {"hosts": ["a"], "http": [{"directResponse": {"status": 200, "body": {"bytes": "plain text"}}}]}
    assert warnings("VirtualService", plain) == ["spec.http[0].directResponse.body.bytes"]

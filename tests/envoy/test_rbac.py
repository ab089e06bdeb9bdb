"""AuthorizationPolicy verdicts of a real Envoy, and what the access log says of them."""

from __future__ import annotations

import pytest

from mizzen.api.meta import Object, ObjectMeta
from mizzen.api.security import AuthorizationPolicy, From, Operation, Rule, Source, To
from mizzen.model.protocol import Protocol
from mizzen.model.view import MtlsMode, Policies
from mizzen.translate.chains import ALPN_MESH_HTTP
from tests.envoy.loopback import echo_app, http_app, wait_for
from tests.envoy.mesh import Lab, inbound_port, request

pytestmark = pytest.mark.envoy

MESH_ALPN = ["istio-http/1.1", "istio", "http/1.1"]
assert set(MESH_ALPN) & set(ALPN_MESH_HTTP)


def policy(action: str, *rules: Rule) -> Object:
    meta = ObjectMeta(name=action.lower(), namespace="bar")
    return Object(kind="AuthorizationPolicy", meta=meta, body=AuthorizationPolicy(rules=rules, action=action))


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


@pytest.mark.row("AP-01", "AP-08", "AP-10", "AP-28")
def test_deny_beats_allow_and_only_the_named_account_gets_through(lab: Lab) -> None:
    allowed = Rule(from_=(From(source=Source(principals=("cluster.local/ns/foo/sa/client",))),))
    denied = Rule(to=(To(operation=Operation(paths=("/admin*",))),))
    policies = Policies(deny=(policy("DENY", denied),), allow=(policy("ALLOW", allowed),))
    with http_app() as app:
        server = lab.server(inbound_port(app.port, Protocol.HTTP, MtlsMode.PERMISSIVE), policies=policies)
        assert status(lab.call(app.port, request("/ok"), MESH_ALPN)) == 200
        refused = lab.call(app.port, request("/admin/x"), MESH_ALPN)
        assert status(refused) == 403
        assert refused.endswith(b"RBAC: access denied")
        assert status(lab.call(app.port, request("/ok"))) == 403, "a caller without certificate is nobody"
        assert len(app.seen) == 1
        lines = wait_for(lambda: len(server.access_lines()) >= 3 and server.access_lines())
        assert "rbac_access_denied_matched_policy[ns[bar]-policy[deny]-rule[0]]" in lines[1]
        assert "rbac_access_denied_matched_policy[none]" in lines[2]
        assert "rbac.denied: 2" in server.get("/stats?filter=rbac.denied")
        series = [
            labels for labels, _ in server.metrics("envoy_istio_requests_total") if labels["response_code"] == "403"
        ]
        assert {labels["source_workload"] for labels in series} == {"unknown"}


@pytest.mark.row("AP-02")
def test_an_empty_allow_denies_all(lab: Lab) -> None:
    with http_app() as app:
        lab.server(
            inbound_port(app.port, Protocol.HTTP, MtlsMode.PERMISSIVE), policies=Policies(allow=(policy("ALLOW"),))
        )
        assert status(lab.call(app.port, request())) == 403
        assert app.seen == []


@pytest.mark.row("AP-09")
def test_a_tcp_denial_closes_the_connection(lab: Lab) -> None:
    rule = Rule(from_=(From(source=Source(not_namespaces=("foo",))),))
    with echo_app() as port:
        lab.server(
            inbound_port(port, Protocol.TCP, MtlsMode.PERMISSIVE), policies=Policies(deny=(policy("DENY", rule),))
        )
        assert lab.call(port, b"hello", ["istio"]) == b"hello"
        assert lab.call(port, b"hello") == b""


@pytest.mark.row("AP-09")
def test_a_denial_by_method_closes_a_port_of_bytes(lab: Lab) -> None:
    rule = Rule(to=(To(operation=Operation(methods=("DELETE",))),))
    with echo_app() as port:
        lab.server(
            inbound_port(port, Protocol.TCP, MtlsMode.PERMISSIVE), policies=Policies(deny=(policy("DENY", rule),))
        )
        assert lab.call(port, b"hello", ["istio"]) == b"", "what cannot be asked of bytes is denied for all of them"


@pytest.mark.row("AP-05", "AP-23", "AP-30")
def test_audit_and_a_dry_run_block_nothing_and_the_dry_run_is_counted(lab: Lab) -> None:
    dry = policy("DENY", Rule())
    dry = Object(kind=dry.kind, meta=ObjectMeta(name="dry", annotations={"istio.io/dry-run": "true"}), body=dry.body)
    with http_app() as app:
        server = lab.server(
            inbound_port(app.port, Protocol.HTTP, MtlsMode.PERMISSIVE),
            policies=Policies(audit=(policy("AUDIT", Rule()),), deny=(dry,)),
        )
        assert status(lab.call(app.port, request(), MESH_ALPN)) == 200
        assert "istio_dry_run_deny_.shadow_denied: 1" in server.get("/stats?filter=shadow_denied")
        assert "rbac.denied: 0" in server.get("/stats?filter=rbac.denied")


TRIAL = (
    "%RESPONSE_CODE% "
    "%DYNAMIC_METADATA(envoy.filters.http.rbac:istio_dry_run_deny_shadow_engine_result)% "
    "%DYNAMIC_METADATA(envoy.filters.http.rbac:istio_dry_run_deny_shadow_effective_policy_id)% "
    "%DYNAMIC_METADATA(envoy.filters.http.rbac:istio_dry_run_allow_shadow_engine_result)%\n"
)


@pytest.mark.row("AP-23", "AP-30")
def test_the_access_log_and_metrics_say_what_rules_in_trial_would_have_done(lab: Lab) -> None:
    def trial(action: str, path: str) -> Object:
        made = policy(action, Rule(to=(To(operation=Operation(paths=(path,))),)))
        meta = ObjectMeta(name=made.name, namespace="bar", annotations={"istio.io/dry-run": "true"})
        return Object(kind=made.kind, meta=meta, body=made.body)

    policies = Policies(deny=(trial("DENY", "/a"),), allow=(trial("ALLOW", "/b"),))
    with http_app() as app:
        server = lab.server(
            inbound_port(app.port, Protocol.HTTP, MtlsMode.PERMISSIVE),
            policies=policies,
            config={"access_log_format": TRIAL},
        )
        for path in ("/a", "/b"):
            assert status(lab.call(app.port, request(path), MESH_ALPN)) == 200, "nothing is enforced"
        lines = wait_for(lambda: len(server.access_lines()) == 2 and server.access_lines())
        assert lines == ["200 denied ns[bar]-policy[deny]-rule[0] denied", "200 allowed - allowed"]
        stats = server.get("/stats?filter=shadow")
        assert "istio_dry_run_deny_.shadow_denied: 1" in stats
        assert "istio_dry_run_deny_.shadow_allowed: 1" in stats
        assert "istio_dry_run_allow_.shadow_denied: 1" in stats
        assert "istio_dry_run_allow_.shadow_allowed: 1" in stats


@pytest.mark.row("AP-15")
def test_callers_are_told_apart_by_trust_domain(lab: Lab) -> None:
    """The mesh's own name stands for its aliases too; one of them is left out again."""
    rule = Rule(from_=(From(source=Source(trust_domains=("cluster.local",), not_trust_domains=("third.*",))),))
    with http_app() as app:
        lab.server(
            inbound_port(app.port, Protocol.HTTP, MtlsMode.STRICT),
            policies=Policies(allow=(policy("ALLOW", rule),)),
            config={"trust_domain_aliases": ("old.test", "third.test")},
        )
        assert status(lab.call(app.port, request(), MESH_ALPN)) == 200
        for domain, expected in (("old.test", 200), ("third.test", 403)):
            lab.client_sds = lab.authority.write(lab.directory / domain, f"spiffe://{domain}/ns/foo/sa/client")
            assert status(lab.call(app.port, request(), MESH_ALPN)) == expected

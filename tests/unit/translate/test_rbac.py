from __future__ import annotations

from typing import Any

import pytest
from envoy.extensions.filters.http.rbac.v3 import rbac_pb2 as http_pb2
from envoy.extensions.filters.network.rbac.v3 import rbac_pb2 as network_pb2
from google.protobuf.json_format import MessageToDict

from mizzen.api.mesh_config import MeshConfig
from mizzen.api.meta import Object, ObjectMeta
from mizzen.api.security import AuthorizationPolicy, Condition, From, Operation, Provider, Rule, Source, To
from mizzen.model.authorizer import Authorizer, HttpCheck
from mizzen.model.view import Policies
from mizzen.translate import rbac

MESH = MeshConfig()
ALWAYS = {"permissions": [{"any": True}], "principals": [{"any": True}]}
NEVER = {"permissions": [{"notRule": {"any": True}}], "principals": [{"notId": {"any": True}}]}


def policy(*rules: Rule, action: str = "ALLOW", name: str = "p", namespace: str = "foo", dry_run: str = "") -> Object:
    meta = ObjectMeta(name=name, namespace=namespace, annotations={"istio.io/dry-run": dry_run} if dry_run else {})
    return Object(kind="AuthorizationPolicy", meta=meta, body=AuthorizationPolicy(rules=rules, action=action))


def http(policies: Policies, mesh: MeshConfig = MESH) -> list[dict[str, Any]]:
    found = []
    for filter_ in rbac.http_filters(policies, mesh):
        config = http_pb2.RBAC()
        assert filter_.typed_config.Unpack(config)
        found.append(MessageToDict(config))
    return found


def tcp(policies: Policies) -> list[dict[str, Any]]:
    found = []
    for filter_ in rbac.network_filters(policies, MESH):
        config = network_pb2.RBAC()
        assert filter_.typed_config.Unpack(config)
        found.append(MessageToDict(config))
    return found


def principals(source: Source, mesh: MeshConfig = MESH, namespace: str = "foo") -> list[dict[str, Any]]:
    (filter_,) = http(Policies(allow=(policy(Rule(from_=(From(source=source),)), namespace=namespace),)), mesh)
    (built,) = filter_["rules"]["policies"].values()
    (entry,) = built["principals"]
    ids: list[dict[str, Any]] = entry["andIds"]["ids"]
    return ids


def names(ids: list[dict[str, Any]]) -> list[Any]:
    return [value["authenticated"]["principalName"] for value in ids[0]["orIds"]["ids"]]


@pytest.mark.row("AP-01")
def test_one_filter_per_action_in_order() -> None:
    every = Rule()
    filters = http(
        Policies(
            audit=(policy(every, action="AUDIT"),),
            deny=(policy(every, action="DENY"), policy(every, action="DENY", name="q")),
            allow=(policy(every),),
        )
    )
    assert [f["rules"].get("action", "ALLOW") for f in filters] == ["LOG", "DENY", "ALLOW"]
    assert filters[1]["rules"]["policies"].keys() == {"ns[foo]-policy[p]-rule[0]", "ns[foo]-policy[q]-rule[0]"}


@pytest.mark.row("AP-02", "AP-04")
@pytest.mark.parametrize("action", ["ALLOW", "DENY"])
def test_a_policy_without_rules_never_matches(action: str) -> None:
    policies = Policies(allow=(policy(),)) if action == "ALLOW" else Policies(deny=(policy(action="DENY"),))
    (filter_,) = http(policies)
    assert filter_["rules"]["policies"] == {"ns[foo]-policy[p]-rule[0]": NEVER}


@pytest.mark.row("AP-03")
def test_an_empty_rule_matches_everything() -> None:
    (filter_,) = http(Policies(deny=(policy(Rule(), action="DENY"),)))
    (built,) = filter_["rules"]["policies"].values()
    assert built == {
        "permissions": [{"andRules": {"rules": [{"any": True}]}}],
        "principals": [{"andIds": {"ids": [{"any": True}]}}],
    }


@pytest.mark.row("AP-10")
@pytest.mark.parametrize(
    ("value", "matcher"),
    [
        ("td/ns/a/sa/b", {"exact": "spiffe://td/ns/a/sa/b"}),
        ("td/ns/*", {"prefix": "spiffe://td/ns/"}),
        ("*/sa/b.c", {"safeRegex": {"regex": r"spiffe://.*/sa/b\.c"}}),
        ("*", {"safeRegex": {"regex": ".+"}}),
    ],
)
def test_principals(value: str, matcher: dict[str, Any]) -> None:
    assert names(principals(Source(principals=(value,)))) == [matcher]


@pytest.mark.row("AP-11")
def test_namespaces_come_from_the_certificate() -> None:
    ids = principals(Source(namespaces=("a-b", "x*")))
    assert names(ids) == [{"safeRegex": {"regex": ".*/ns/a-b/.*"}}, {"safeRegex": {"regex": ".*/ns/x.*/.*"}}]


@pytest.mark.row("AP-12")
def test_a_bare_service_account_is_of_the_policys_namespace() -> None:
    ids = principals(Source(service_accounts=("web", "bar/web")), namespace="root")
    assert names(ids) == [
        {"safeRegex": {"regex": "spiffe://.+/ns/root/(.+/|)sa/web(/.+)?"}},
        {"safeRegex": {"regex": "spiffe://.+/ns/bar/(.+/|)sa/web(/.+)?"}},
    ]


@pytest.mark.row("AP-13")
def test_ip_blocks_are_the_socket_and_remote_ones_the_client() -> None:
    ids = principals(Source(ip_blocks=("10.0.0.1",), remote_ip_blocks=("10.1.0.0/16",)))
    assert {"orIds": {"ids": [{"directRemoteIp": {"addressPrefix": "10.0.0.1", "prefixLen": 32}}]}} in ids
    assert {"orIds": {"ids": [{"remoteIp": {"addressPrefix": "10.1.0.0", "prefixLen": 16}}]}} in ids


@pytest.mark.row("AP-14")
def test_a_request_principal_is_cut_at_the_last_slash() -> None:
    ids = principals(Source(request_principals=("https://a/b/sub",)))
    parts = ids[0]["orIds"]["ids"][0]["andIds"]["ids"]
    found = {part["metadata"]["path"][1]["key"]: part["metadata"]["value"]["stringMatch"] for part in parts}
    assert found == {"iss": {"exact": "https://a/b"}, "sub": {"exact": "sub"}}


@pytest.mark.row("AP-16")
def test_a_negative_form_is_around_the_or_and_beside_the_positive() -> None:
    ids = principals(Source(principals=("a",), not_principals=("b", "c")))
    assert [next(iter(entry)) for entry in ids] == ["orIds", "notId"]
    assert len(ids[1]["notId"]["orIds"]["ids"]) == 2


@pytest.mark.row("AP-16")
@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [
        ("not_principals", "td/ns/a/sa/b", "authenticated"),
        ("not_request_principals", "iss/sub", "andIds"),
        ("not_namespaces", "a", "authenticated"),
        ("not_service_accounts", "a/b", "authenticated"),
        ("not_ip_blocks", "10.0.0.0/8", "directRemoteIp"),
        ("not_remote_ip_blocks", "10.0.0.0/8", "remoteIp"),
    ],
)
def test_every_negative_form_of_a_source(field: str, value: str, kind: str) -> None:
    (entry,) = principals(Source(**{field: (value,)}))
    assert list(entry["notId"]["orIds"]["ids"][0]) == [kind]


@pytest.mark.row("AP-16", "AP-17")
def test_every_negative_form_of_an_operation() -> None:
    operation = Operation(not_hosts=("A",), not_methods=("GET",), not_paths=("/a",), not_ports=("1",))
    ((hosts, methods, paths, ports),) = permissions(operation)
    assert hosts["notRule"]["orRules"]["rules"][0]["header"]["stringMatch"] == {"exact": "A", "ignoreCase": True}
    assert methods["notRule"]["orRules"]["rules"][0]["header"]["stringMatch"] == {"exact": "GET"}
    assert paths["notRule"]["orRules"]["rules"][0]["urlPath"]["path"] == {"exact": "/a"}
    assert ports["notRule"]["orRules"]["rules"] == [{"destinationPort": 1}]


@pytest.mark.row("AP-22")
def test_a_mesh_principal_is_one_of_every_trust_domain() -> None:
    mesh = MeshConfig(trust_domain="td1", trust_domain_aliases=("old",))
    for written in ("td1", "old", "cluster.local"):
        assert names(principals(Source(principals=(f"{written}/ns/a/sa/b",)), mesh)) == [
            {"exact": "spiffe://td1/ns/a/sa/b"},
            {"exact": "spiffe://old/ns/a/sa/b"},
        ]
    assert names(principals(Source(principals=("foreign/ns/a/sa/b",)), mesh)) == [
        {"exact": "spiffe://foreign/ns/a/sa/b"}
    ]


def permissions(*operations: Operation) -> list[Any]:
    (filter_,) = http(Policies(allow=(policy(Rule(to=tuple(To(operation=o) for o in operations))),)))
    (built,) = filter_["rules"]["policies"].values()
    return [entry["andRules"]["rules"] for entry in built["permissions"]]


@pytest.mark.row("AP-17")
def test_operations() -> None:
    ((hosts, methods, paths, ports),) = permissions(
        Operation(hosts=("A.example.com",), methods=("G*",), paths=("/a*", "*.html", "*"), ports=("8080",))
    )
    assert hosts["orRules"]["rules"] == [
        {"header": {"name": ":authority", "stringMatch": {"exact": "A.example.com", "ignoreCase": True}}}
    ]
    assert methods["orRules"]["rules"] == [{"header": {"name": ":method", "stringMatch": {"prefix": "G"}}}]
    assert [rule["urlPath"]["path"] for rule in paths["orRules"]["rules"]] == [
        {"prefix": "/a"},
        {"suffix": ".html"},
        {"safeRegex": {"regex": ".+"}},
    ]
    assert ports["orRules"]["rules"] == [{"destinationPort": 8080}]


@pytest.mark.row("AP-18")
@pytest.mark.parametrize(
    ("path", "good"), [("/a/{*}/b", True), ("/a/{**}", True), ("/a/{*}x", False), ("/{**}/{*}", False)]
)
def test_a_path_template_that_envoy_would_refuse_is_no_template(path: str, good: bool) -> None:
    (filter_,) = http(Policies(allow=(policy(Rule(to=(To(operation=Operation(paths=(path,))),))),)))
    assert ("policies" in filter_["rules"]) is good


@pytest.mark.row("AP-20", "AP-21")
def test_conditions_stand_in_every_from_and_to_of_their_side() -> None:
    rule = Rule(
        from_=(From(source=Source(namespaces=("a",))), From(source=Source(namespaces=("b",)))),
        to=(To(operation=Operation(methods=("GET",))), To(operation=Operation(methods=("PUT",)))),
        when=(
            Condition(key="source.ip", values=("1.1.1.1",), not_values=("2.2.2.2",)),
            Condition(key="destination.port", values=("80",)),
        ),
    )
    (filter_,) = http(Policies(allow=(policy(rule),)))
    (built,) = filter_["rules"]["policies"].values()
    assert [len(entry["andIds"]["ids"]) for entry in built["principals"]] == [3, 3]
    assert [len(entry["andRules"]["rules"]) for entry in built["permissions"]] == [2, 2]


@pytest.mark.row("AP-19")
@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("request.headers[x-a]", "header"),
        ("source.ip", "directRemoteIp"),
        ("remote.ip", "remoteIp"),
        ("source.namespace", "authenticated"),
        ("source.principal", "authenticated"),
        ("source.serviceAccount", "authenticated"),
        ("request.auth.audiences", "metadata"),
        ("request.auth.claims[a][b]", "metadata"),
    ],
)
def test_keys_about_the_caller(key: str, kind: str) -> None:
    value = "1.1.1.1" if key.endswith(".ip") else "v"
    (filter_,) = http(Policies(allow=(policy(Rule(when=(Condition(key=key, values=(value,)),))),)))
    (built,) = filter_["rules"]["policies"].values()
    assert kind in built["principals"][0]["andIds"]["ids"][0]["orIds"]["ids"][0]


@pytest.mark.row("AP-19")
@pytest.mark.parametrize(
    ("key", "value", "kind"),
    [
        ("destination.ip", "10.0.0.1", "destinationIp"),
        ("destination.port", "80", "destinationPort"),
        ("connection.sni", "a.example", "requestedServerName"),
        ("experimental.envoy.filters.a.b[c]", "[v]", "metadata"),
    ],
)
def test_keys_about_the_connection(key: str, value: str, kind: str) -> None:
    (filter_,) = http(Policies(allow=(policy(Rule(when=(Condition(key=key, values=(value,)),))),)))
    (built,) = filter_["rules"]["policies"].values()
    assert kind in built["permissions"][0]["andRules"]["rules"][0]["orRules"]["rules"][0]


@pytest.mark.row("AP-20")
def test_values_and_not_values() -> None:
    def ids(**fields: tuple[str, ...]) -> list[str]:
        (filter_,) = http(Policies(allow=(policy(Rule(when=(Condition(key="source.ip", **fields),))),)))
        (built,) = filter_["rules"]["policies"].values()
        return [next(iter(entry)) for entry in built["principals"][0]["andIds"]["ids"]]

    assert ids(values=("1.1.1.1",)) == ["orIds"]
    assert ids(not_values=("1.1.1.1",)) == ["notId"]
    assert ids(values=("1.1.1.1",), not_values=("2.2.2.2",)) == ["orIds", "notId"]


BAD = Rule(when=(Condition(key="no.such.key", values=("v",)),))


def test_what_cannot_be_built_denies() -> None:
    (deny,) = http(Policies(deny=(policy(BAD, action="DENY"),)))
    assert list(deny["rules"]["policies"].values()) == [ALWAYS]
    (allow,) = http(Policies(allow=(policy(BAD),)))
    assert "policies" not in allow["rules"], "an ALLOW filter without policies denies everything"


def test_custom_without_authorizer_is_refused() -> None:
    (built,) = rbac.custom_http_filters(Policies(custom=(policy(Rule(), action="CUSTOM"),)), MESH)
    config = http_pb2.RBAC()
    assert built.typed_config.Unpack(config)
    filter_ = MessageToDict(config)
    assert filter_["rules"]["action"] == "DENY"
    assert list(filter_["rules"]["policies"]) == [
        "istio-ext-authz--ns[foo]-policy[p]-rule[0]-deny-due-to-bad-CUSTOM-action"
    ]


@pytest.mark.row("AP-09")
def test_on_tcp_allow_drops_the_rule_and_deny_only_the_http_attribute() -> None:
    rule = Rule(from_=(From(source=Source(namespaces=("a",))),), to=(To(operation=Operation(methods=("GET",))),))
    (allow,) = tcp(Policies(allow=(policy(rule),)))
    assert "policies" not in allow["rules"]
    (deny,) = tcp(Policies(deny=(policy(rule, action="DENY"),)))
    (built,) = deny["rules"]["policies"].values()
    assert built["permissions"] == [{"andRules": {"rules": [{"any": True}]}}]
    assert len(built["principals"][0]["andIds"]["ids"]) == 1
    assert deny["statPrefix"] == "tcp."


@pytest.mark.row("AP-23")
def test_a_dry_run_enforces_nothing() -> None:
    (filter_,) = http(Policies(deny=(policy(Rule(), action="DENY", dry_run="true"),)))
    assert "rules" not in filter_
    assert filter_["shadowRules"]["action"] == "DENY"
    assert filter_["shadowRulesStatPrefix"] == "istio_dry_run_deny_"


def custom(provider: str, name: str) -> Object:
    body = AuthorizationPolicy(rules=(Rule(),), action="CUSTOM", provider=Provider(name=provider))
    return Object(kind="AuthorizationPolicy", meta=ObjectMeta(name=name, namespace="foo"), body=body)


@pytest.mark.row("AP-06")
@pytest.mark.parametrize("several", [False, True])
def test_of_several_providers_each_is_asked_only_where_that_is_switched_on(several: bool) -> None:
    known = {name: Authorizer(name, "authz", 8000, http=HttpCheck()) for name in ("a", "b")}
    objects = (custom("b", "pb"), custom("a", "pa"), custom("gone", "pc"))
    filters = rbac.custom_http_filters(Policies(custom=objects, authorizers=known, several_authorizers=several), MESH)
    found = []
    for filter_ in filters:
        config = http_pb2.RBAC()
        if filter_.typed_config.Unpack(config):
            found += [("deny", name) for name in config.rules.policies]
            found += [("ask", name) for name in config.shadow_rules.policies]
    if several:
        assert found == [
            ("ask", "istio-ext-authz-a-ns[foo]-policy[pa]-rule[0]"),
            ("ask", "istio-ext-authz-b-ns[foo]-policy[pb]-rule[0]"),
            ("deny", "istio-ext-authz-gone-ns[foo]-policy[pc]-rule[0]-deny-due-to-bad-CUSTOM-action"),
        ]
    else:
        assert {kind for kind, _ in found} == {"deny"}
        assert len(found) == 3


@pytest.mark.row("AP-10")
def test_a_scheme_before_an_identity_does_not_count() -> None:
    written = http(Policies(allow=(policy(Rule(from_=(From(source=Source(principals=("spiffe://td/ns/a/sa/b",))),))),)))
    plain = http(Policies(allow=(policy(Rule(from_=(From(source=Source(principals=("td/ns/a/sa/b",))),))),)))
    assert written == plain

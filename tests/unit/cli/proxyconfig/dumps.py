"""A small config dump, in the form that Envoy gives."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

HCM = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
TCP = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
ADMIN = "type.googleapis.com/envoy.admin.v3."


def made_by(kind: str, name: str) -> Json:
    return {"filter_metadata": {"istio": {"config": f"/apis/networking.istio.io/v1/namespaces/default/{kind}/{name}"}}}


def cluster(name: str, **more: Any) -> Json:
    return {"name": name, "type": "EDS", **more}


def http(**more: Any) -> Json:
    return {"name": "envoy.filters.network.http_connection_manager", "typed_config": {"@type": HCM, **more}}


def tcp(to: str) -> Json:
    return {"name": "envoy.filters.network.tcp_proxy", "typed_config": {"@type": TCP, "cluster": to}}


def listener(name: str, address: str, port: int, *chains: Json, **more: Any) -> Json:
    return {
        "name": name,
        "address": {"socket_address": {"address": address, "port_value": port}},
        "filter_chains": list(chains),
        **more,
    }


CLUSTERS = [
    cluster("outbound|9080|v2|reviews.default.svc.cluster.local", metadata=made_by("destination-rule", "reviews")),
    cluster("outbound|9080||reviews.default.svc.cluster.local", metadata=made_by("destination-rule", "reviews")),
    cluster("inbound|9080||", type="ORIGINAL_DST"),
    {"name": "BlackHoleCluster"},
]

LISTENERS = [
    listener(
        "virtualInbound", "0.0.0.0", 15006, {"filter_chain_match": {"transport_protocol": "tls"}, "filters": [http()]}
    ),
    listener(
        "0.0.0.0_9080",
        "0.0.0.0",
        9080,
        {
            "filter_chain_match": {"application_protocols": ["http/1.1", "h2c"]},
            "filters": [http(rds={"route_config_name": "9080"})],
        },
        default_filter_chain={"filters": [tcp("PassthroughCluster")]},
    ),
    listener("10.96.0.9_3306", "10.96.0.9", 3306, {"filters": [tcp("outbound|3306||mysql.default.svc.cluster.local")]}),
]

ROUTES = [
    {
        "name": "9080",
        "virtual_hosts": [
            {
                "name": "reviews.default.svc.cluster.local:9080",
                "domains": [
                    "reviews.default.svc.cluster.local",
                    "reviews",
                    "reviews.default.svc",
                    "reviews.default",
                    "10.96.0.3",
                    "reviews:9080",
                ],
                "routes": [
                    {
                        "match": {"prefix": "/"},
                        "route": {"cluster": "outbound|9080|v2|reviews"},
                        "metadata": made_by("virtual-service", "reviews"),
                    }
                ],
            },
            {
                "name": "allow_any",
                "domains": ["*"],
                "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "PassthroughCluster"}}],
            },
            {"name": "nothing", "domains": ["nothing"]},
        ],
    }
]

DUMP: Json = {
    "configs": [
        {"@type": ADMIN + "BootstrapConfigDump", "bootstrap": {"node": {"metadata": {"ISTIO_VERSION": "0.1.0"}}}},
        {
            "@type": ADMIN + "ClustersConfigDump",
            "static_clusters": [{"cluster": CLUSTERS[3]}],
            "dynamic_active_clusters": [{"version_info": "1", "cluster": body} for body in CLUSTERS[:3]],
        },
        {
            "@type": ADMIN + "ListenersConfigDump",
            "dynamic_listeners": [
                {"name": body["name"], "active_state": {"version_info": "1", "listener": body}} for body in LISTENERS
            ],
        },
        {
            "@type": ADMIN + "RoutesConfigDump",
            "dynamic_route_configs": [{"version_info": "1", "route_config": body} for body in ROUTES],
        },
    ]
}


def host(address: str, port: int, health: Json) -> Json:
    return {"address": {"socket_address": {"address": address, "port_value": port}}, "health_status": health}


STATUSES: Json = {
    "cluster_statuses": [
        {
            "name": "outbound|9080||reviews.default.svc.cluster.local",
            "host_statuses": [
                host("10.255.0.9", 9080, {"eds_health_status": "HEALTHY", "failed_outlier_check": True}),
                host("10.255.0.10", 9080, {"eds_health_status": "HEALTHY"}),
            ],
        },
        {"name": "empty"},
    ]
}

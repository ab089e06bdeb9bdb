"""The names under which a sidecar tells a mesh peer who it is, on upstream Envoy.

Istio's own filter puts one protobuf into ``x-envoy-peer-metadata``, which upstream Envoy cannot read. Ours sends one
header per label: the client's Envoy adds them from its environment, the server's keeps them in filter state when the
peer came by mTLS, and takes them off the request either way.
"""

from __future__ import annotations

PREFIX = "x-envoy-peer-metadata-"

FIELDS = {
    "workload": "MIZZEN_WORKLOAD_NAME",
    "namespace": "MIZZEN_NAMESPACE",
    "canonical-name": "MIZZEN_CANONICAL_NAME",
    "canonical-revision": "MIZZEN_CANONICAL_REVISION",
    "app": "MIZZEN_APP",
    "version": "MIZZEN_VERSION_LABEL",
    "cluster": "MIZZEN_CLUSTER_ID",
}
"""Header suffix to the variable of the agent that holds its value."""

HEADERS = [*(PREFIX + name for name in FIELDS), "x-envoy-peer-metadata", "x-envoy-peer-metadata-id"]

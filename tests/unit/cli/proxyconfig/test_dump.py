from __future__ import annotations

from mizzen.cli.proxyconfig.dump import Dump, management, of_resources
from mizzen.model.resources import CLUSTER, LISTENER
from tests.unit.cli.proxyconfig.dumps import ADMIN, CLUSTERS, DUMP, made_by


def test_the_bootstraps_clusters_come_first() -> None:
    assert [body["name"] for body in Dump(DUMP).clusters()] == [CLUSTERS[i]["name"] for i in (3, 0, 1, 2)]


def test_what_is_missing_reads_as_empty() -> None:
    dump = Dump({})
    assert (dump.clusters(), dump.listeners(), dump.routes(), dump.secrets(), dump.bootstrap()) == ([], [], [], [], {})


def test_a_listener_that_still_warms_is_not_in_use() -> None:
    part = {"@type": ADMIN + "ListenersConfigDump", "dynamic_listeners": [{"name": "x", "warming_state": {}}]}
    assert Dump({"configs": [part]}).listeners() == []


def test_secrets_tell_their_state() -> None:
    part = {
        "@type": ADMIN + "SecretsConfigDump",
        "dynamic_active_secrets": [{"name": "a"}],
        "dynamic_warming_secrets": [{"name": "b"}],
    }
    assert Dump({"configs": [part]}).secrets() == [("ACTIVE", {"name": "a"}), ("WARMING", {"name": "b"})]


def test_resources_stand_where_envoy_shows_them_with_their_versions() -> None:
    made = of_resources({CLUSTER: {"a": {"name": "a"}}, LISTENER: {"l": {"name": "l"}}}, {f"{CLUSTER}/a": "7"})
    dump = Dump(made)
    assert dump.part("ClustersConfigDump")["dynamic_active_clusters"][0]["version_info"] == "7"
    assert [body["name"] for body in (*dump.clusters(), *dump.listeners())] == ["a", "l"]


def test_the_object_that_made_a_resource_is_read_from_its_metadata() -> None:
    assert management(made_by("destination-rule", "reviews")) == "reviews.default"
    assert management({"filter_metadata": {"istio": {"config": "/apis/other/v1/x"}}}) == "<unknown>"
    assert management(None) == ""

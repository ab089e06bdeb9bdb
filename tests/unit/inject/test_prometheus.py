from __future__ import annotations

import json

import pytest

from mizzen.api.mesh_config import MeshConfig
from mizzen.inject.prometheus import merged
from mizzen.inject.settings import InjectSettings

OURS = {"prometheus.io/scrape": "true", "prometheus.io/port": "15020", "prometheus.io/path": "/stats/prometheus"}


@pytest.mark.row("IP-14", "MC-23", "PO-04")
def test_own_annotations_move_whatever_their_spelling() -> None:
    given = {"prometheus.io/port": "9000", "prometheus-io/path": "/m", "prometheus_io_scrape": "true", "keep": "x"}
    annotations, scrape = merged(given, InjectSettings(), 15020)
    assert annotations == {"keep": "x", **OURS}
    assert json.loads(scrape or "") == {"scrape": "true", "path": "/m", "port": "9000", "targets": ""}


@pytest.mark.row("IP-14")
def test_several_targets_are_told_to_the_agent() -> None:
    given = {"prometheus.istio.io/scrape-targets": "9000/m, 9001:/n"}
    with pytest.raises(ValueError, match="not a port"):
        merged(given, InjectSettings(), 15020)
    given = {"prometheus.istio.io/scrape-targets": "9000:/m, 9001"}
    annotations, scrape = merged(given, InjectSettings(), 15020)
    assert annotations == {**given, **OURS}
    assert json.loads(scrape or "")["targets"] == "9000:/m, 9001"


@pytest.mark.row("IP-14")
@pytest.mark.parametrize(
    "given",
    [
        {"prometheus.istio.io/merge-metrics": "false", "prometheus.io/port": "9000"},
        {"prometheus.io/scrape": "false"},
        {"prometheus.io/port": "15020"},
    ],
)
def test_who_opts_out_keeps_what_was_written(given: dict[str, str]) -> None:
    assert merged(given, InjectSettings(), 15020) == (given, None)


def test_an_app_without_annotations_is_scraped_for_its_proxy_alone() -> None:
    assert merged({}, InjectSettings(), 15020) == (OURS, None)
    assert merged({}, InjectSettings(), 0) == ({}, None)


@pytest.mark.row("IP-14")
@pytest.mark.parametrize(
    "given", [{"prometheus.io/port": "15090"}, {"prometheus.istio.io/scrape-targets": "9000,15021:/x"}]
)
def test_the_proxys_own_ports_would_loop(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="belongs to the proxy"):
        merged(given, InjectSettings(), 15020)


@pytest.mark.row("MC-23")
def test_without_merging_the_app_is_scraped_by_itself() -> None:
    given = {"prometheus.io/port": "9000"}
    settings = InjectSettings(mesh=MeshConfig(enable_prometheus_merge=False))
    assert merged(given, settings, 15020) == (given, None)


@pytest.mark.row("PO-04")
def test_the_reserved_port_is_no_apps() -> None:
    with pytest.raises(ValueError, match="15004"):
        merged({"prometheus.io/port": "15004"}, InjectSettings(), 15020)

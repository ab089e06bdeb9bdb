"""What the control plane counts, under the names that dashboards look for."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from mizzen.observe import Metrics


@pytest.mark.row("CA-14", "CPM-02")
def test_counters_have_istios_names_with_and_without_the_ending() -> None:
    metrics = Metrics()
    metrics.csr_errors.labels("TTL_ERROR").inc()
    metrics.rejects.labels("lds").inc(2)
    metrics.key_fetches.inc()
    lines = metrics.text().decode().splitlines()
    assert "# TYPE citadel_server_csr_sign_err_count counter" in lines
    assert 'citadel_server_csr_sign_err_count{error="TTL_ERROR"} 1.0' in lines
    assert 'pilot_total_xds_rejects{type="lds"} 2.0' in lines
    assert "pilot_jwks_resolver_network_fetch_success_total 1.0" in lines
    for name in ("csr_count", "success_cert_issuance_count", "authentication_failure_count"):
        assert f"citadel_server_{name} 0.0" in lines
    for name in ("csr_parsing_err_count", "id_extraction_err_count"):
        assert f"citadel_server_{name} 0.0" in lines
    assert not [line for line in lines if "count_total" in line or "_created" in line]


@pytest.mark.row("CPM-02")
def test_who_refuses_what_is_told_until_the_proxy_is_gone() -> None:
    metrics = Metrics()
    metrics.refused("lds", "web.shop", "InvalidArgument")
    metrics.refused("lds", "web.shop", "InvalidArgument")
    metrics.refused("other", "web.shop", "Internal")
    text = metrics.text().decode()
    assert 'pilot_xds_lds_reject{err="InvalidArgument",node="web.shop"} 2.0' in text
    assert 'pilot_total_xds_rejects{type="other"} 1.0' in text
    metrics.gone("web.shop")
    assert "pilot_xds_lds_reject{" not in metrics.text().decode()
    assert 'pilot_total_xds_rejects{type="lds"} 2.0' in metrics.text().decode()


@pytest.mark.row("CPM-01", "IJ-12")
@pytest.mark.parametrize(
    ("name", "buckets"),
    [
        ("pilot_xds_push_time", ".01 .1 .5 1 3 5 10 20 30"),
        ("pilot_debounce_time", ".01 .1 .5 1 3 5 10 20 30"),
        ("pilot_xds_send_time", ".01 .1 1 3 5 10 20 30"),
        ("pilot_proxy_convergence_time", ".1 .5 1 3 5 10 20 30"),
        ("pilot_proxy_queue_time", ".1 .5 1 3 5 10 20 30"),
        ("pilot_pushcontext_init_seconds", ".01 .1 .5 1 3 5"),
        ("pilot_xds_config_size_bytes", "1 10000 1000000 4000000 10000000 40000000"),
        ("sidecar_injection_time_seconds", ".1 1 3 5 10 20 30 60"),
    ],
)
def test_histograms_have_istios_buckets(name: str, buckets: str) -> None:
    metrics = Metrics()
    metrics.pushing.push.labels("lds").observe(1)
    metrics.config_size.labels("type.googleapis.com/x").observe(1)
    families = {family.name: family for family in text_string_to_metric_families(metrics.text().decode())}
    found = [float(s.labels["le"]) for s in families[name].samples if s.name.endswith("_bucket")]
    assert found == [*map(float, buckets.split()), float("inf")]


@pytest.mark.row("CPM-01")
def test_the_largest_request_is_kept() -> None:
    metrics = Metrics()
    for size in (5, 9, 7):
        metrics.pushing.received(size)
    text = metrics.text().decode()
    assert "\npilot_xds_recv_max 9.0\n" in text
    assert "\npilot_xds_write_timeout 0.0\n" in text


@pytest.mark.row("CPM-09")
def test_the_process_is_measured_under_its_own_names_alone() -> None:
    text = Metrics().text().decode()
    for name in ("process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds"):
        assert f"\n{name} " in text
    assert "\ngo_" not in text
    assert "\nistiod_uptime_seconds " in text


@pytest.mark.row("TR-10")
def test_providers_without_a_service_are_counted_by_sort() -> None:
    metrics = Metrics()
    metrics.lookups_failed(["zipkin", "zipkin", "datadog"])
    assert 'provider_lookup_cluster_failures{type="zipkin"} 2.0' in metrics.text().decode()
    metrics.lookups_failed([])
    assert "provider_lookup_cluster_failures{" not in metrics.text().decode()


def test_the_text_is_prometheus_own_format() -> None:
    families = {family.name for family in text_string_to_metric_families(Metrics().text().decode())}
    assert {"citadel_server_root_cert_expiry_timestamp", "pilot_xds_config_size_bytes", "istio_build"} <= families


@pytest.mark.row("CA-14")
def test_a_chain_expires_only_where_a_ca_is_plugged_in() -> None:
    metrics = Metrics()
    assert b"cert_chain_expiry" not in metrics.text()
    metrics.chain_expiry().set(7)
    assert b"citadel_server_cert_chain_expiry_timestamp 7.0" in metrics.text()

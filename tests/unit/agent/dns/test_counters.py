"""The numbers of the DNS proxy."""

from prometheus_client.parser import text_string_to_metric_families

from mizzen.agent.dns.counters import Counters


def test_text_that_prometheus_reads() -> None:
    counters = Counters()
    counters.requests, counters.upstream, counters.failures = 5, 2, 1
    counters.took(0.002)
    counters.took(7)
    found = {
        (s.name, s.labels.get("le", "")): s.value
        for family in text_string_to_metric_families(counters.text())
        for s in family.samples
    }
    assert found[("istio_agent_dns_requests_total", "")] == 5
    assert found[("istio_agent_dns_upstream_requests_total", "")] == 2
    assert found[("istio_agent_dns_upstream_failures_total", "")] == 1
    name = "istio_agent_dns_upstream_request_duration_seconds"
    buckets = [found[(f"{name}_bucket", le)] for le in ("0.001", "0.005", "0.01", "0.1", "1", "5", "+Inf")]
    assert buckets == [0, 1, 1, 1, 1, 1, 2]
    assert (found[(f"{name}_count", "")], round(found[(f"{name}_sum", "")], 3)) == (2, 7.002)

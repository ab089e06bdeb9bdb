from tests.conformance.meaning import complete, within


def test_envoys_fields_by_meaning() -> None:
    cluster = {"connect_timeout": "3s", "circuit_breakers": {"thresholds": [{"max_connections": 1, "more": 2}]}}
    assert within({"connectTimeout": "3000ms", "circuitBreakers": {"thresholds": [{"maxConnections": 1}]}}, cluster)
    assert within({"absent": 0}, cluster)
    assert not within({"connectTimeout": "2s"}, cluster)
    assert not within({"circuitBreakers": {"thresholds": []}}, cluster)


def test_defaults_that_the_dump_leaves_out() -> None:
    cluster = complete({"name": "c", "connect_timeout": "3s", "outlier_detection": {"interval": "10s"}})
    assert within({"lbPolicy": "ROUND_ROBIN", "type": "STATIC", "dnsLookupFamily": "AUTO"}, cluster)
    assert not within({"lbPolicy": "LEAST_REQUEST"}, cluster)
    assert within({"connectTimeout": "3s", "outlierDetection": {"interval": "10s"}}, cluster)
    unreadable = {"connect_timeout": {"a": 1}}
    assert complete(unreadable) == unreadable

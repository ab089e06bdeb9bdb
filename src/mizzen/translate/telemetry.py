"""The istio_* metrics."""

from __future__ import annotations

from envoy.config.accesslog.v3 import accesslog_pb2

from mizzen.translate.filters import Direction


def http_metrics(direction: Direction) -> list[accesslog_pb2.AccessLog]:
    return []


def tcp_metrics(direction: Direction) -> list[accesslog_pb2.AccessLog]:
    return []

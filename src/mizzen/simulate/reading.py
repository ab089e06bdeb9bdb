"""A ResourceSet as parsed messages, each parsed when it is first asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TypeVar

from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_pb2
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message

from mizzen.model.resources import CLUSTER, LISTENER, ROUTE, ResourceSet

M = TypeVar("M", bound=Message)


class Reading:
    """What one proxy holds."""

    def __init__(self, resources: ResourceSet) -> None:
        self._resources = resources
        self._routes: dict[str, route_pb2.RouteConfiguration | None] = {}

    @cached_property
    def listeners(self) -> list[listener_pb2.Listener]:
        return [listener_pb2.Listener.FromString(r.body) for r in self._resources.get(LISTENER).values()]

    def route_configuration(self, name: str) -> route_pb2.RouteConfiguration | None:
        """The RouteConfiguration that RDS gives under this name; None when there is none."""
        if name not in self._routes:
            found = self._resources.get(ROUTE).get(name)
            self._routes[name] = route_pb2.RouteConfiguration.FromString(found.body) if found else None
        return self._routes[name]

    def has_cluster(self, name: str) -> bool:
        return name in self._resources.get(CLUSTER)


def unpacked(packed: Any, kind: type[M]) -> M | None:
    """The message inside ``packed``; None when it is of another type."""
    message = kind()
    return message if packed.Unpack(message) else None

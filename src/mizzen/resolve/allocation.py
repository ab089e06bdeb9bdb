"""Addresses for ServiceEntries that have none, so that two of them on one TCP port are told apart (row SE-14)."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Mapping

from msgspec.structs import replace

from mizzen.model.hosts import is_wildcard
from mizzen.model.service import Resolution, Service

_NETWORK = ipaddress.ip_network("240.240.0.0/16")
_SIZE = _NETWORK.num_addresses - 2
_OPT_OUT = "networking.istio.io/enable-autoallocate-ip"

Key = tuple[str, str]


def with_addresses(found: Mapping[Key, Service]) -> dict[Key, Service]:
    """``found`` with an address made of namespace and host; on a clash the younger takes the next free one.

    What a user wrote is never given away. The result depends on nothing but the services themselves.
    """
    result = dict(found)
    taken = {address for service in found.values() for address in service.addresses}
    needy = [(key, service) for key, service in found.items() if _wants_one(service)]
    for key, service in sorted(needy, key=lambda item: (item[1].created, *item[0])):
        address = _free(service, taken)
        taken.add(address)
        result[key] = replace(service, auto_address=address)
    return result


def _wants_one(service: Service) -> bool:
    written = service.addresses or service.addresses_v6
    if service.from_kubernetes or written or service.labels.get(_OPT_OUT) == "false":
        return False
    if service.resolution is Resolution.DYNAMIC_DNS:
        return True
    return service.resolution is not Resolution.PASSTHROUGH and not is_wildcard(service.hostname)


def _free(service: Service, taken: set[str]) -> str:
    digest = hashlib.blake2b(f"{service.namespace}/{service.hostname}".encode(), digest_size=8).digest()
    start = int.from_bytes(digest, "big")
    for step in range(_SIZE):
        address = str(_NETWORK[1 + (start + step) % _SIZE])
        if address not in taken:
            return address
    return ""

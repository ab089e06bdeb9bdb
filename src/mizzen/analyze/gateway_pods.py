"""Gateways and the pods that serve them: selectors, Services, secrets (IST0101, IST0161, IST0162)."""

from __future__ import annotations

import base64
import binascii
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime

from cryptography import x509

from mizzen.analyze.estate import Estate, Subject
from mizzen.analyze.reading import block, blocks, number, text, texts
from mizzen.analyze.selection import expression, selects
from mizzen.api.gateway import Gateway
from mizzen.model.finding import Finding

_PAIRS = (("cert", "key"), ("tls.crt", "tls.key"))
_PEM_BEGIN, _PEM_END = "-----BEGIN ", "-----END "


def ports(estate: Estate) -> Iterator[Finding]:
    """Selectors that find no pod, and ports that no Service of the pods leads to."""
    offers = _Offers(estate)
    for gateway in estate.decoded("Gateway"):
        body: Gateway = gateway.body
        field = _selector_field(body)
        if not estate.pods_with(body.selector):
            yield _no_pod(gateway)
            continue
        offered = offers.at(body.selector)
        for server in body.servers:
            if server.port is not None and server.port.number not in offered:
                selector = expression(body.selector)
                yield gateway.finding("IST0162", field, port=server.port.number, selector=selector)


def _no_pod(gateway: Subject) -> Finding:
    selector = gateway.body.selector
    return gateway.finding("IST0101", _selector_field(gateway.body), reftype="selector", refval=expression(selector))


def _selector_field(body: Gateway) -> str:
    first = next(iter(body.selector), "")
    return f'spec.selector["{first}"]'


class _Offers:
    """The ports that the Services of a selector's pods lead to; each selector is looked at once."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._services: dict[str, list[Subject]] = defaultdict(list)
        for service in estate.of("Service"):
            self._services[service.namespace].append(service)
        self._known: dict[str, set[int]] = {}

    def at(self, selector: Mapping[str, str]) -> set[int]:
        name = expression(selector)
        if name not in self._known:
            self._known[name] = {
                port
                for pod in self._estate.pods_with(selector)
                for service in self._services[pod.namespace]
                if selects(texts(service.raw, "spec", "selector"), pod.labels)
                for port in _offers(service)
            }
        return self._known[name]


def _offers(service: Subject) -> Iterator[int]:
    """The ports that the pods of a Service can be reached at, as a Gateway may write them."""
    for port in blocks(service.raw, "spec", "ports"):
        if text(port, "protocol") == "TCP":
            yield number(port, "port")
            if number(port, "targetPort"):
                yield number(port, "targetPort")


def secrets(estate: Estate) -> Iterator[Finding]:
    """Secrets that a gateway names: whether they are there, and hold a certificate for now."""
    for gateway in estate.decoded("Gateway"):
        body: Gateway = gateway.body
        pod = next(iter(estate.pods_with(body.selector)), None)
        if pod is None:
            yield _no_pod(gateway)
            continue
        for index, server in enumerate(body.servers):
            name = server.tls.credential_name if server.tls is not None else ""
            if not name:
                continue
            field = f"spec.servers[{index}].tls.credentialName"
            space, _, own = name.rpartition("/")
            secret = estate.find("Secret", space or pod.namespace, own)
            if secret is None:
                yield gateway.finding("IST0101", field, reftype="credentialName", refval=name)
            elif not _served(secret, estate.now):
                yield gateway.finding("IST0161", field, gateway=gateway.name, namespace=pod.namespace)


def _served(secret: Subject, now: datetime) -> bool:
    held = _values(secret)
    pair = next((pair for pair in _PAIRS if all(held.get(key) for key in pair)), None)
    if pair is None:
        return False
    try:
        with warnings.catch_warnings(action="ignore"):  # of odd serial numbers, which do not matter here
            certificate = x509.load_pem_x509_certificate(_first_block(held[pair[0]]))
    except ValueError:
        return False
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def _values(secret: Subject) -> Mapping[str, bytes]:
    held: dict[str, bytes] = {}
    for key, value in texts(secret.raw, "data").items():
        try:
            held[key] = base64.b64decode(value)
        except (binascii.Error, ValueError):
            held[key] = b""
    plain = {key: text(value).encode() for key, value in block(secret.raw, "stringData").items()}
    return {**held, **plain}


def _first_block(pem: bytes) -> bytes:
    """The first PEM block of a chain."""
    written = pem.decode("ascii", errors="replace")
    begin = written.find(_PEM_BEGIN)
    end = written.find(_PEM_END, begin)
    if begin < 0 or end < 0:
        raise ValueError("no PEM block")
    stop = written.find("-----", end + len(_PEM_END))
    return written[begin : stop + 5 if stop >= 0 else len(written)].encode()

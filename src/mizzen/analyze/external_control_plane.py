"""Webhooks that lead to a control plane of another cluster (IST0163, IST0164)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from mizzen.analyze.estate import Estate, Subject
from mizzen.analyze.reading import Raw, at, blocks, text
from mizzen.model.finding import Finding


def webhook_addresses(estate: Estate) -> Iterator[Finding]:
    for subject in estate.of("ValidatingWebhookConfiguration"):
        if subject.name == "istiod-default-validator" or subject.name.startswith("istio-validator"):
            yield from _of(subject)
    for subject in estate.of("MutatingWebhookConfiguration"):
        if subject.name.startswith("istio-sidecar-injector"):
            yield from _of(subject)


def _of(subject: Subject) -> Iterator[Finding]:
    for index, webhook in enumerate(blocks(subject.raw, "webhooks")):
        yield from _address(subject, webhook, f"webhooks[{index}].clientConfig.url")


def _address(subject: Subject, webhook: Raw, field: str) -> Iterator[Finding]:
    name, url = text(webhook, "name"), text(webhook, "clientConfig", "url")
    if not url:
        if at(webhook, "clientConfig", "service") is None:
            yield subject.finding("IST0163", field, url=url, webhook=name, reason="is blank")
        return
    try:
        host = urlsplit(url).hostname or ""
    except ValueError as error:
        yield subject.finding("IST0163", field, url=url, webhook=name, reason=f"is no URL ({error})")
        return
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return
    yield subject.finding("IST0164", field, url=url, webhook=name)

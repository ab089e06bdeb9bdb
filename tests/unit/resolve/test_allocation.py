from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from mizzen.model.features import Features
from mizzen.model.resources import LISTENER
from mizzen.model.service import Service
from mizzen.resolve import build, view
from mizzen.resolve.allocation import with_addresses
from mizzen.translate import resources
from tests.scenes import Scene

ENTRY = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: {name}, namespace: shop, creationTimestamp: "2026-01-0{age}T00:00:00Z"{labels}}}
spec: {{hosts: ["{host}"], ports: [{{number: 5432, name: tcp, protocol: TCP}}], resolution: {resolution}}}
"""


def entry(name: str, host: str, *, resolution: str = "DNS", age: int = 1, opt_out: bool = False) -> str:
    labels = ', labels: {networking.istio.io/enable-autoallocate-ip: "false"}' if opt_out else ""
    return ENTRY.format(name=name, host=host, resolution=resolution, age=age, labels=labels)


def allocated(*texts: str) -> dict[str, str]:
    return {s.hostname: s.auto_address for s in Scene("---".join(texts)).snapshot.services if not s.from_kubernetes}


@pytest.mark.row("SE-14")
def test_who_gets_an_address() -> None:
    found = allocated(
        entry("a", "a.com"),
        entry("b", "b.com", opt_out=True),
        entry("c", "c.com", resolution="NONE"),
        entry("d", "*.d.com"),
    )
    assert found.pop("a.com").startswith("240.240.")
    assert set(found.values()) == {""}


@pytest.mark.row("SE-14")
def test_addresses_are_stable_and_on_a_clash_the_older_keeps_its_own() -> None:
    one = Service(hostname="a.com", name="a", namespace="n", ports=(), from_kubernetes=False, created="1")
    address = with_addresses({("n", "a.com"): one})[("n", "a.com")].auto_address
    fixed = Service(hostname="b.com", name="b", namespace="n", ports=(), addresses=(address,), from_kubernetes=False)
    moved = with_addresses({("n", "a.com"): one, ("n", "b.com"): fixed})[("n", "a.com")].auto_address
    assert moved not in ("", address)
    assert allocated(entry("a", "a.com"))["a.com"] == allocated(entry("a", "a.com"), entry("b", "b.com"))["a.com"]


@pytest.mark.row("SE-14")
def test_only_clients_that_ask_our_dns_go_by_it() -> None:
    scene = Scene(entry("a", "a.com") + "---" + entry("b", "b.com"))
    assert "0.0.0.0_5432" in listeners(scene, {})
    with_dns = listeners(scene, {"DNS_CAPTURE": "true"})
    assert "0.0.0.0_5432" not in with_dns
    assert len([name for name in with_dns if name.startswith("240.240.") and name.endswith("_5432")]) == 2


@pytest.mark.row("SE-14", "DN-04")
def test_where_allocation_is_off_only_proxies_that_ask_for_it_go_by_it() -> None:
    scene = Scene(entry("a", "a.com"))
    scene.snapshot = build(replace(scene.config, features=Features(ip_autoallocate=False)))
    assert "0.0.0.0_5432" in listeners(scene, {"DNS_CAPTURE": "true"})
    assert "0.0.0.0_5432" in listeners(scene, {"DNS_AUTO_ALLOCATE": "true"})
    assert "0.0.0.0_5432" not in listeners(scene, {"DNS_CAPTURE": "true", "DNS_AUTO_ALLOCATE": "true"})


def listeners(scene: Scene, flags: dict[str, str]) -> list[str]:
    proxy = msgspec.structs.replace(scene.proxy(), flags=flags)
    return list(resources(view(scene.snapshot, proxy)).get(LISTENER))

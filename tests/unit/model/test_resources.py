"""Resources are known by the hash of their bytes."""

from mizzen.model.resources import CLUSTER, ROUTE, Resource, ResourceSet


def test_the_version_follows_the_bytes() -> None:
    first, same, other = (Resource.of(CLUSTER, "a", body) for body in (b"1", b"1", b"2"))
    assert first == same
    assert first.version != other.version


def test_sets() -> None:
    a, b = Resource.of(CLUSTER, "a", b"1"), Resource.of(ROUTE, "b", b"2")
    resources = ResourceSet.of([a, b])
    assert resources == ResourceSet.of([b, a])
    assert resources != ResourceSet.of([a])
    assert resources.get(CLUSTER) == {"a": a}
    assert resources.get("none") == {}

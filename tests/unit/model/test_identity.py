"""SPIFFE names."""

import pytest

from mizzen.errors import ProtocolError
from mizzen.model.identity import Identity


def test_there_and_back() -> None:
    uri = "spiffe://cluster.local/ns/default/sa/sleep"
    assert str(Identity.parse(uri)) == uri
    assert Identity("a@b", "n", "s").uri == "spiffe://a.b/ns/n/sa/s"


@pytest.mark.parametrize(
    "uri", ["", "spiffe://td/ns/n/sa/", "http://td/ns/n/sa/s", "spiffe://td/ns/n/sa/s/x", "spiffe:///ns/n/sa/s"]
)
def test_other_forms_are_refused(uri: str) -> None:
    with pytest.raises(ProtocolError):
        Identity.parse(uri)

"""What is read from a response; the whole child is in test_external.py."""

from envoy.extensions.transport_sockets.tls.v3 import secret_pb2
from envoy.service.discovery.v3 import discovery_pb2

from mizzen.agent import sds_client


def test_secrets_of_other_names_are_not_looked_at() -> None:
    response = discovery_pb2.DiscoveryResponse()
    other = secret_pb2.Secret(name="spiffe://other")
    other.validation_context.trusted_ca.inline_bytes = b"x"
    own = secret_pb2.Secret(name=sds_client.ROOTS)
    own.validation_context.trusted_ca.inline_string = "roots"
    for secret in (other, own):
        response.resources.add().Pack(secret)
    assert sds_client.read(response) == {"roots": "roots"}

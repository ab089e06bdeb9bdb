from envoy.extensions.transport_sockets.tls.v3 import tls_pb2

from mizzen.translate.proxyless.tls import common_context


def test_certificate_and_roots_come_from_the_applications_provider() -> None:
    context = tls_pb2.CommonTlsContext()
    common_context(context)
    assert context.tls_certificate_provider_instance.instance_name == "default"
    roots = context.combined_validation_context.default_validation_context.ca_certificate_provider_instance
    assert (roots.instance_name, roots.certificate_name) == ("default", "ROOTCA")

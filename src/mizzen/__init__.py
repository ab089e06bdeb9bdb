"""Mizzen: the Istio API on any Linux machine and any Kubernetes cluster, with the real Envoy.

Turning mesh configuration into Envoy resources is a pure function (``api``, ``model``, ``check``, ``resolve``,
``translate``, ``xds``, ``pki``, ``inject``). Everything that waits is a thin shell around it.
"""

VERSION = "0.1.0"
ENVOY_VERSION = "1.40.0"
"""The Envoy release that bootstrap, ``mizzen version`` and the tests name; the pin in ``pyproject.toml`` agrees."""

"""A server that tells what reached it, and a client that tells what came back: the two ends of a behaviour test.

``python -m mizzen.samples.echo.server`` listens as its ``--listen`` arguments say; ``python -m mizzen.samples.echo.client``
reads one call per line (JSON) and writes one result per line. Both speak HTTP/1.1, h2c, gRPC, WebSocket, TCP and TLS;
the server also understands a PROXY protocol header. Third-party: ``h2`` only.
"""

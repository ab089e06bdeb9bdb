"""How the workers of a proxy share the connections of a listener out among them (row IL-09)."""

from __future__ import annotations

from envoy.config.listener.v3 import listener_pb2


def accept(listener: listener_pb2.Listener, *, exact: bool, socket: bool = True) -> listener_pb2.Listener:
    """``listener``, changed in place. ``exact``: a connection goes to the worker that has the fewest.

    ``socket``: it is bound to a port. Then a worker takes one connection a turn, so that others get some too. A listener that
    hands over to others by the original destination must not be ``exact`` itself (Envoy's ``connection_balance_config``).
    """
    if socket:
        listener.max_connections_to_accept_per_socket_event.value = 1
    if exact:
        listener.connection_balance_config.exact_balance.SetInParent()
    return listener

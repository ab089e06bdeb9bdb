"""What a proxy would do with a call, read from its resources alone: pure, and step by step with reasons.

It decides as Envoy does and knows nothing of Istio: a listener, listener filters, a filter chain, TLS, a route. It does
not judge policies, faults or the state of endpoints.
"""

from __future__ import annotations

from mizzen.model.resources import ResourceSet
from mizzen.simulate import filter_chains, inspection, listeners, network
from mizzen.simulate.call import Call, Entry, Speech, Tls
from mizzen.simulate.handshake import handshake
from mizzen.simulate.outcome import Candidate, Failure, Outcome, Reply, Stage, Step, Target
from mizzen.simulate.reading import Reading
from mizzen.simulate.walk import Walk

__all__ = [
    "Call",
    "Candidate",
    "Entry",
    "Failure",
    "Outcome",
    "Reply",
    "Simulation",
    "Speech",
    "Stage",
    "Step",
    "Target",
    "Tls",
]


class Simulation:
    """One proxy's resources, to be asked about any number of calls."""

    def __init__(self, resources: ResourceSet) -> None:
        self._reading = Reading(resources)

    def run(self, call: Call) -> Outcome:
        """Where ``call`` ends, and why."""
        walk = Walk()
        self._connect(call, walk)
        return walk.outcome()

    def _connect(self, call: Call, walk: Walk) -> None:
        listener, step = listeners.choose(self._reading.listeners, call)
        walk.add(step)
        if listener is None:
            walk.error = Failure.NO_LISTENER
            return
        walk.listener = listener.name
        detected, step = inspection.inspect(listener, call)
        walk.add(step)
        if detected.waits:
            walk.error = Failure.WAITS
            return
        chain, step = filter_chains.choose(listener, call, detected)
        walk.add(step)
        if chain is None:
            walk.error = Failure.NO_FILTER_CHAIN
            return
        walk.filter_chain = chain.name
        walk.error, step = handshake(chain, call)
        walk.add(step)
        if walk.error is None:
            network.serve(chain, call, self._reading, walk)

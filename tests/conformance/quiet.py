"""Waits until Envoys act on what they have acknowledged.

Envoy acknowledges a listener before it serves it (it may still be warming), and a connection that was open before a change of
its filter chain carries one more request under the old rules while that chain drains (``--drain-strategy immediate``).
What a listener may wait for, and for ever, is a secret that nobody has: such a proxy is not waited for.
All of this is told by gauges of Envoy's listener and cluster managers. With a ``drainDuration`` of a second the old chains are
gone a second after the change, together with their connections: whatever is called from then on meets the new rules only.
"""

import json
import time
from collections.abc import Callable, Iterable

from mizzen.errors import LabError

DRAINING = ("listener_manager.total_filter_chains_draining", "listener_manager.total_listeners_draining")
LISTENERS = "listener_manager.total_listeners_warming"
WARMING = (LISTENERS, "cluster_manager.warming_clusters")
PATH = "/stats?filter=" + r"^(listener_manager\.total_.*_(draining|warming)|cluster_manager\.warming_clusters)$"
DRAIN_SECONDS = 6.0
WARM_SECONDS = 2.0
"""What still warms after this long waits for something that may never come, such as a Secret that is not there."""
_PACE = 0.06

SECRETS = "/config_dump?resource=dynamic_warming_secrets"
Ask = Callable[[str], bytes]
"""What the admin port of one Envoy answers to a path; raises LabError when it does not."""


def gauges(text: bytes) -> dict[str, int]:
    """Name -> value, of the lines of Envoy's ``/stats``."""
    pairs = (line.partition(": ") for line in text.decode("utf-8", "replace").splitlines())
    return {name: int(value) for name, _, value in pairs if value.strip().isdigit()}


def busy(asks: dict[str, Ask], words: Iterable[str]) -> list[str]:
    """The proxies of which one of these gauges is above zero, or that do not answer."""
    names = tuple(words)
    found = []
    for proxy, ask in asks.items():
        try:
            values = gauges(ask(PATH))
        except LabError:
            found.append(proxy)
            continue
        if any(values.get(name, 0) for name in names):
            found.append(proxy)
    return found


def settle(asks: dict[str, Ask]) -> list[str]:
    """Waits until nothing drains and no listener warms that can become warm. The proxies that still drain at the end."""
    begin = time.monotonic()
    left = asks
    while True:
        passed = time.monotonic() - begin
        late = passed > WARM_SECONDS
        names = busy(left, (*DRAINING, LISTENERS) if late else (*DRAINING, *WARMING))
        if late:
            drains = set(busy({name: left[name] for name in names}, DRAINING))
            names = [name for name in names if name in drains or not lacks_secret(left[name])]
        left = {name: left[name] for name in names}
        if not left or passed > DRAIN_SECONDS:
            return sorted(busy(left, DRAINING))
        time.sleep(_PACE)


def lacks_secret(ask: Ask) -> bool:
    """Whether the proxy waits for a secret."""
    try:
        return bool(json.loads(ask(SECRETS) or b"{}").get("configs"))
    except (LabError, ValueError):
        return False

"""Whether a request is over its limits."""

from mizzen.samples.ratelimit.counters import Clock, Counters
from mizzen.samples.ratelimit.limits import UNITS, Limit, Limits
from mizzen.samples.ratelimit.messages import OK, OVER_LIMIT, Descriptor, Question, Status


async def decide(asked: Question, limits: Limits, counters: Counters, now: Clock) -> tuple[int, list[Status]]:
    """The overall code and one status for each descriptor. Raises OSError when hits cannot be counted."""
    found = [d.override or limits.find(asked.domain, d.entries) for d in asked.descriptors]
    replaced = {name for limit in found if limit is not None for name in limit.replaces}
    statuses = []
    for descriptor, limit in zip(asked.descriptors, found, strict=True):
        if limit is None or limit.unlimited or (limit.name and limit.name in replaced):
            statuses.append(Status(OK))
        else:
            hits = asked.hits if descriptor.hits is None else descriptor.hits
            statuses.append(await _one(asked.domain, descriptor, limit, hits, counters, now()))
    over = any(status.code == OVER_LIMIT for status in statuses)
    return (OVER_LIMIT if over else OK), statuses


async def _one(domain: str, descriptor: Descriptor, limit: Limit, hits: int, counters: Counters, now: float) -> Status:
    window = UNITS[limit.unit]
    start = int(now) // window * window
    path = "_".join(f"{key}_{value}" for key, value in descriptor.entries)
    count = await counters.add(f"{domain}_{path}_{start}", hits, window)
    over = count > limit.requests and not limit.shadow
    return Status(OVER_LIMIT if over else OK, limit, max(limit.requests - count, 0), start + window - int(now))

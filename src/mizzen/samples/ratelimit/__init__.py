"""A rate-limit service that takes the place of ``envoyproxy/ratelimit``: the same configuration, ports and environment.

It serves Envoy's ``envoy.service.ratelimit.v3``; counters are held in memory, or in Redis when ``REDIS_URL`` is set.
"""

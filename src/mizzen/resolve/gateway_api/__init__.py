"""The Kubernetes Gateway API becomes Gateways, VirtualServices and DestinationRules, as in Istio (sections 9.2 and 9.3)."""

from mizzen.resolve.gateway_api.convert import KINDS, NOTHING, REFERRED, Generated, generated
from mizzen.resolve.gateway_api.plans import plan
from mizzen.resolve.gateway_api.statuses import class_status, class_statuses, statuses

__all__ = [
    "KINDS",
    "NOTHING",
    "REFERRED",
    "Generated",
    "class_status",
    "class_statuses",
    "generated",
    "plan",
    "statuses",
]

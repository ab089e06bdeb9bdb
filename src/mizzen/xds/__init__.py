"""xDS sessions without I/O: ``receive`` a request, ``offer`` resources, get the responses that may be sent now."""

from mizzen.xds.delta import DeltaSession
from mizzen.xds.refusal import Refusal
from mizzen.xds.response import Response
from mizzen.xds.session import Session
from mizzen.xds.sotw import SotwSession
from mizzen.xds.status import Progress, ResourceKey, TypeStatus

__all__ = ["DeltaSession", "Progress", "Refusal", "ResourceKey", "Response", "Session", "SotwSession", "TypeStatus"]

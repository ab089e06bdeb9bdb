"""Pod in, patched pod out: sidecar and gateway injection as one pure function, for the lab, the webhook and ``kube-inject``."""

from mizzen.inject.document import Document, workload
from mizzen.inject.patch import diff
from mizzen.inject.path import located, parameters
from mizzen.inject.pod import Injected, inject
from mizzen.inject.settings import InjectNamespace, InjectSettings, ProxySettings

__all__ = [
    "Document",
    "InjectNamespace",
    "InjectSettings",
    "Injected",
    "ProxySettings",
    "diff",
    "inject",
    "located",
    "parameters",
    "workload",
]

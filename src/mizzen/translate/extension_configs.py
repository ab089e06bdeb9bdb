"""What comes under the name of an extension's filter: its module, or what stands for it (rows WP-02, WP-05, WP-07, WP-08).

Envoy: ``extensions.wasm.v3.PluginConfig``; ``RBAC`` with rules that no policy satisfies denies, without rules allows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from envoy.config.core.v3 import extension_pb2
from envoy.config.rbac.v3 import rbac_pb2
from envoy.extensions.filters.http.rbac.v3 import rbac_pb2 as http_rbac_pb2
from envoy.extensions.filters.http.wasm.v3 import wasm_pb2 as http_wasm_pb2
from envoy.extensions.filters.network.rbac.v3 import rbac_pb2 as network_rbac_pb2
from envoy.extensions.filters.network.wasm.v3 import wasm_pb2 as network_wasm_pb2
from envoy.extensions.wasm.v3 import wasm_pb2
from google.protobuf import wrappers_pb2
from google.protobuf.message import Message

from mizzen.api.extension import WasmConfig
from mizzen.model.extension import NAME_PREFIX, UNFETCHED, Delivery, Extension, Module, Way
from mizzen.model.finding import Finding, Level, about
from mizzen.model.resources import EXTENSION_CONFIG, Resource
from mizzen.model.view import Plugins
from mizzen.translate.messages import any_of, resource

RUNTIME = "envoy.wasm.runtime.v8"
NO_DIGEST = "nil"
"""Envoy demands a digest of remote code; this is Istio's word for none, which its agent knows."""
_REMOTE_CLUSTER, _REMOTE_SECONDS = "_", 30
_FAILURE = {
    "FAIL_CLOSE": wasm_pb2.FAIL_CLOSED,
    "FAIL_OPEN": wasm_pb2.FAIL_OPEN,
    "FAIL_RELOAD": wasm_pb2.FAIL_RELOAD,
}


def resources(plugins: Plugins) -> Iterator[Resource]:
    """The configurations of ``plugins``. One whose module is on its way is left out: the proxy keeps what it has."""
    for item, delivery in plugins.entries:
        if item.module is None or item.wasm is None or delivery.way is Way.AWAITED:
            continue
        absent = delivery.way in (Way.UNKNOWN, Way.FAILED)
        config = _substitute(item.wasm, network=item.network) if absent else _wasm(item, item.wasm, delivery)
        message = extension_pb2.TypedExtensionConfig(name=item.name, typed_config=any_of(config))
        made = resource(EXTENSION_CONFIG, item.name, message)
        yield replace(made, stopgap=True) if delivery.way is Way.UNKNOWN else made


def findings(plugins: Plugins) -> Iterator[Finding]:
    """A warning for each module that an agent could not fetch."""
    for item, delivery in plugins.entries:
        if delivery.way is Way.FAILED and item.wasm is not None:
            opened = item.wasm.fail_strategy == "FAIL_OPEN"
            effect = "traffic passes without it" if opened else "its traffic is denied"
            field = "spec.url" if item.kind == "WasmPlugin" else "spec.wasm.url"
            text = f"the module could not be fetched: {delivery.reason}; {effect}"
            yield about(item.owner, UNFETCHED, Level.WARNING, text, field)


def _substitute(wasm: WasmConfig, *, network: bool) -> Message:
    """Denies everything; allows everything if the user said that failures open."""
    rules = None if wasm.fail_strategy == "FAIL_OPEN" else rbac_pb2.RBAC()
    made: Message = http_rbac_pb2.RBAC(rules=rules)
    if network:
        made = network_rbac_pb2.RBAC(rules=rules, stat_prefix="rbac")
    return made


def _wasm(item: Extension, wasm: WasmConfig, delivery: Delivery) -> Message:
    policy = _FAILURE[wasm.fail_strategy]
    config = wasm_pb2.PluginConfig(
        name=item.name.removeprefix(NAME_PREFIX), root_id=wasm.plugin_name, failure_policy=policy
    )
    config.vm_config.runtime = RUNTIME
    if delivery.path:
        config.vm_config.code.local.filename = delivery.path
    elif item.module is not None:
        _remote(config.vm_config, item.module)
    _environment(config.vm_config, wasm)
    if wasm.plugin_config is not None:
        text = json.dumps(wasm.plugin_config, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
        config.configuration.CopyFrom(any_of(wrappers_pb2.StringValue(value=text)))
    made: Message = network_wasm_pb2.Wasm(config=config) if item.network else http_wasm_pb2.Wasm(config=config)
    return made


def _remote(config: wasm_pb2.VmConfig, module: Module) -> None:
    remote = config.code.remote
    remote.http_uri.uri = module.url
    remote.http_uri.cluster = _REMOTE_CLUSTER
    remote.http_uri.timeout.seconds = _REMOTE_SECONDS
    remote.sha256 = module.sha256 or NO_DIGEST


def _environment(config: wasm_pb2.VmConfig, wasm: WasmConfig) -> None:
    for variable in wasm.vm_config.env if wasm.vm_config else ():
        if variable.value_from == "HOST":
            config.environment_variables.host_env_keys.append(variable.name)
        else:
            config.environment_variables.key_values[variable.name] = variable.value

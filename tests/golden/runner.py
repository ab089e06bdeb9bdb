"""Golden files: config in, resources out, in one file with the input above the output.

A file is two YAML documents. The first has ``about``, ``rows``, ``proxy`` (namespace/name of a pod of the config),
``base`` (files of ``base/``), ``locality`` and ``flags`` (of the proxy), ``mesh`` (mesh config), ``config`` (objects) and ``show`` (what to compare: type, name and
a path into the message). The second is what is shown. ``python -m tests.golden.runner --regenerate`` writes the outputs.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from google.protobuf import symbol_database
from google.protobuf.any_pb2 import Any as Any_
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from msgspec import structs

from mizzen.api.decode import decode, decode_mesh
from mizzen.api.meta import Object
from mizzen.model import locality
from mizzen.model.config import Config
from mizzen.model.proxy import Proxy, ProxyType
from mizzen.model.resources import CLUSTER, ENDPOINT, EXTENSION_CONFIG, LISTENER, ROUTE, Resource, ResourceSet
from mizzen.resolve import build, view
from mizzen.translate import resources

FOLDER = Path(__file__).parent
TYPES = {"cluster": CLUSTER, "endpoints": ENDPOINT, "listener": LISTENER, "route": ROUTE, "extension": EXTENSION_CONFIG}
_ROUTER_LABEL = "istio"


@dataclass(frozen=True)
class Golden:
    path: Path
    case: dict[str, Any]
    expected: Any

    @property
    def rows(self) -> list[str]:
        return [str(row) for row in self.case.get("rows", ())]


def goldens() -> list[Golden]:
    """Every golden file, by path."""
    return [_read(path) for path in sorted(FOLDER.glob("*/*.yaml")) if path.parent.name != "base"]


def _read(path: Path) -> Golden:
    documents = _documents(path)
    return Golden(path, documents[0], documents[1] if len(documents) > 1 else None)


def _documents(path: Path) -> list[Any]:
    # With LibYAML: every process of a test run reads all of them.
    return list(yaml.load_all(path.read_text(), Loader=yaml.CSafeLoader))


def config_of(case: dict[str, Any]) -> Config:
    """The config of a case; a document that is refused fails the test."""
    documents = [d for name in case.get("base", ()) for d in _documents(FOLDER / "base" / f"{name}.yaml")]
    objects = [_decoded(document) for document in [*documents, *case.get("config", ())]]
    mesh, problems = decode_mesh(case.get("mesh", {}))
    assert not problems, problems
    return Config(mesh=mesh).with_objects(objects)


def _decoded(document: dict[str, Any]) -> Object:
    result = decode(document)
    assert result.object is not None, result.problems
    return result.object


def proxy_of(config: Config, where: str, region: str = "") -> Proxy:
    """The proxy in the pod ``namespace/name``, running in ``region``; a pod with the label ``istio`` is a gateway."""
    namespace, _, name = where.partition("/")
    pod = config.of("Pod")[(namespace, name)]
    router = _ROUTER_LABEL in pod.meta.labels
    address = pod.body.status.pod_ip
    kind = ProxyType.ROUTER if router else ProxyType.SIDECAR
    return Proxy(
        id=f"{kind}~{address}~{name}.{namespace}~{namespace}.svc.cluster.local",
        type=kind,
        address=address,
        name=name,
        namespace=namespace,
        labels=pod.meta.labels,
        service_account=pod.body.spec.service_account_name,
        network=pod.meta.labels.get(locality.NETWORK, ""),
        locality=locality.parse(region),
    )


def translated(case: dict[str, Any]) -> ResourceSet:
    config = config_of(case)
    proxy = proxy_of(config, case["proxy"], case.get("locality", ""))
    return resources(view(build(config), structs.replace(proxy, flags=case.get("flags", {}))))


def message_of(resource: Resource) -> Message:
    """The parsed message of a resource."""
    kind = symbol_database.Default().GetSymbol(resource.type_url.rpartition("/")[2])
    message: Message = kind.FromString(resource.body)
    return message


def shown(case: dict[str, Any]) -> Any:
    """What the case shows of its resources, and the findings of the config when it asks for them."""
    made = translated(case)
    found = [_show(made, item) for item in case.get("show", ())]
    if case.get("findings"):
        found.append({"findings": [str(finding) for finding in build(config_of(case)).findings]})
    return found


def _show(made: ResourceSet, item: dict[str, Any]) -> Any:
    kind = item["type"]
    if "name" not in item:
        return {kind: list(made.get(TYPES[kind]))}
    resource = made.get(TYPES[kind]).get(item["name"])
    if resource is None:
        return {kind: None}
    value: Any = json.loads(MessageToJson(_printable(message_of(resource)), preserving_proto_field_name=True))
    for step in item.get("at", ()):
        value = _step(value, step)
    for name in item.get("without", ()):
        value.pop(name, None)
    return {kind: value}


def _printable(message: Message) -> Message:
    """``message`` without its access logs: xds-protos lacks the type of the stats logger, and they have tests of their own."""
    for entry, value in message.ListFields():
        if entry.name == "access_log":
            message.ClearField("access_log")
        elif isinstance(value, Any_):
            _printable_any(value)
        elif entry.message_type is not None and not entry.message_type.GetOptions().map_entry:
            for item in [value] if isinstance(value, Message) else value:
                _printable(item)
    return message


def _printable_any(packed: Any_) -> None:
    try:
        kind = symbol_database.Default().GetSymbol(packed.type_url.rpartition("/")[2])
    except KeyError:
        return
    packed.Pack(_printable(kind.FromString(packed.value)))


def _step(value: Any, step: Any) -> Any:
    """An index, a key, a list of keys to keep, ``name=value`` to pick one of a list, or ``*`` for each of a list."""
    if isinstance(step, dict):
        return [_step(item, step["each"]) for item in value]
    if isinstance(step, list):
        return {key: value[key] for key in step if key in value}
    if isinstance(step, str) and "=" in step:
        key, _, wanted = step.partition("=")
        return next(item for item in value if item.get(key) == wanted)
    return value.get(step) if isinstance(value, dict) else value[step]


def regenerate(golden: Golden) -> None:
    """Write the output below the input, which stays as it is."""
    text = golden.path.read_text()
    head = text.split("\n---\n", 1)[0].rstrip("\n")
    output = yaml.safe_dump(shown(golden.case), sort_keys=True, width=140, allow_unicode=True)
    golden.path.write_text(f"{head}\n---\n{output}")


if __name__ == "__main__":
    if sys.argv[1:2] != ["--regenerate"]:
        raise SystemExit("usage: python -m tests.golden.runner --regenerate [WORD]")
    for one in goldens():
        if all(word in str(one.path) for word in sys.argv[2:]):
            regenerate(one)

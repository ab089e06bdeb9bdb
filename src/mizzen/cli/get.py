"""``mizzen get KIND [NAME]``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from mizzen.cli.options import all_namespaces_option, files_option, mesh_options, namespace_option, output_option

if TYPE_CHECKING:
    from mizzen.api.kinds import KindInfo
    from mizzen.cli.kinds import Named

Json = dict[str, Any]
Source = Callable[[str, str | None, str | None], list[Json]]

HIDDEN = "(hidden: use --show-secrets)"


@click.command("get")
@click.argument("objects", nargs=-1, required=True, metavar="KIND[,KIND…] [NAME…] | KIND/NAME…")
@namespace_option
@all_namespaces_option
@files_option(text="Answer from files alone, without a mesh; repeatable.")
@output_option("table", "wide", "json", "yaml", "name")
@click.option("-l", "--selector", metavar="K=V,…", help="Only objects with these labels.")
@click.option("--show-labels", is_flag=True, help="A last column with the labels.")
@click.option("--no-headers", is_flag=True, help="Leave out the line of headers.")
@click.option("--ignore-not-found", is_flag=True, help="An object that does not exist is no error.")
@click.option("--show-secrets", is_flag=True, help="Print what Secrets hold.")
@mesh_options
def command(
    objects: tuple[str, ...],
    namespace: str | None,
    all_namespaces: bool,
    paths: tuple[str, ...],
    output: str | None,
    selector: str | None,
    show_labels: bool,
    no_headers: bool,
    ignore_not_found: bool,
    show_secrets: bool,
) -> int:
    """Show objects, as kubectl does."""
    from mizzen.cli.failure import Exit
    from mizzen.cli.kinds import named, plural
    from mizzen.cli.output import note

    source = _offline(paths, namespace) if paths else _online()
    labels = parse_selector(selector or "")
    found: list[tuple[KindInfo, list[Json]]] = []
    missing = False
    targets = named(objects)
    for target in targets:
        items = [
            hide(raw, show_secrets) for raw in _items(source, target, namespace, all_namespaces) if selects(labels, raw)
        ]
        if target.name and not items:
            missing = True
            if not ignore_not_found:
                note(f'Error: {plural(target.kind)} "{target.name}" not found')
        found.append((target.kind, items))
    single = len(targets) == 1 and bool(targets[0].name)
    _print(
        _joined(found),
        output or "table",
        single=single,
        all_namespaces=all_namespaces,
        headers=not no_headers,
        labels=show_labels,
    )
    if not any(items for _, items in found) and not missing and output not in ("json", "yaml"):
        note("No resources found" if all_namespaces else f"No resources found in {namespace or 'default'} namespace.")
    return Exit.ERROR if missing and not ignore_not_found else Exit.DONE


def parse_selector(text: str) -> list[tuple[str, str, bool]]:
    """``a=b,c!=d`` as (key, value, equal). Raises Failure."""
    from mizzen.cli.failure import Exit, Failure

    parsed = []
    for term in filter(None, text.split(",")):
        key, sign, value = term.partition("!=") if "!=" in term else term.partition("=")
        if not sign or not key:
            raise Failure(f"{term!r} is not KEY=VALUE", code=Exit.USAGE)
        parsed.append((key.strip(), value.lstrip("=").strip(), sign == "="))
    return parsed


def selects(selector: Sequence[tuple[str, str, bool]], raw: Json) -> bool:
    labels = (raw.get("metadata") or {}).get("labels") or {}
    return all((labels.get(key) == value) is equal for key, value, equal in selector)


def _online() -> Source:
    from mizzen.cli.connection import lab

    client = lab()
    return lambda kind, namespace, name: client.objects(kind, namespace, name)[1]


def _offline(paths: Sequence[str], namespace: str | None) -> Source:
    from mizzen.cli import offline

    objects = offline.expanded(paths, namespace)

    def source(kind: str, space: str | None, name: str | None) -> list[Json]:
        return [
            raw
            for raw in objects
            if raw.get("kind") == kind
            and (space is None or (raw["metadata"].get("namespace") or "") == space)
            and (name is None or raw["metadata"].get("name") == name)
        ]

    return source


def _items(source: Source, target: Named, namespace: str | None, all_namespaces: bool) -> list[Json]:
    scope = None if all_namespaces or not target.kind.namespaced else namespace or "default"
    group = target.kind.group
    items = [raw for raw in source(target.kind.kind, scope, target.name or None) if _group(raw) == group]
    return sorted(items, key=lambda raw: (raw["metadata"].get("namespace") or "", raw["metadata"].get("name", "")))


def _group(raw: Json) -> str:
    return str(raw.get("apiVersion", "")).rpartition("/")[0]


def _joined(found: Sequence[tuple[KindInfo, list[Json]]]) -> list[tuple[KindInfo, list[Json]]]:
    """One entry per kind, so that several names of a kind share a table."""
    joined: dict[str, tuple[KindInfo, list[Json]]] = {}
    for kind, items in found:
        joined.setdefault(kind.key, (kind, []))[1].extend(items)
    return list(joined.values())


def hide(raw: Json, show: bool) -> Json:
    """A Secret without what it holds, its last-applied copy included; other objects as they are."""
    if show or raw.get("kind") != "Secret":
        return raw
    hidden = {
        **raw,
        **{
            field: dict.fromkeys(raw[field], HIDDEN)
            for field in ("data", "stringData")
            if isinstance(raw.get(field), dict)
        },
    }
    metadata = raw.get("metadata") or {}
    annotations = {
        k: v for k, v in (metadata.get("annotations") or {}).items() if not k.endswith("last-applied-configuration")
    }
    return {**hidden, "metadata": {**metadata, "annotations": annotations}} if "annotations" in metadata else hidden


def _print(
    found: Sequence[tuple[KindInfo, list[Json]]],
    output: str,
    *,
    single: bool,
    all_namespaces: bool,
    headers: bool,
    labels: bool,
) -> None:
    from mizzen.cli.output import emit, to_json, to_yaml

    items = [raw for _, raws in found for raw in raws]
    if output in ("json", "yaml"):
        if single and not items:
            return
        document = (
            items[0]
            if single
            else {"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": items}
        )
        emit(to_json(document) if output == "json" else to_yaml(document))
        return
    shown = [(kind, raws) for kind, raws in found if raws]
    for position, (kind, raws) in enumerate(shown):
        if output == "name":
            emit("\n".join(f"{_type(kind)}/{raw['metadata']['name']}" for raw in raws))
            continue
        prefix = f"{_type(kind)}/" if len(shown) > 1 else ""
        if position:
            print()
        emit(_table(kind, raws, output == "wide", all_namespaces and kind.namespaced, headers, labels, prefix))


def _type(kind: KindInfo) -> str:
    from mizzen.cli.kinds import singular

    return singular(kind)


def _table(
    kind: KindInfo, raws: Sequence[Json], wide: bool, spaces: bool, headers: bool, labels: bool, prefix: str
) -> str:
    from mizzen.cli.columns import columns_of
    from mizzen.cli.output import table

    columns = columns_of(kind.key, wide)
    header = ["NAMESPACE"] * spaces + ["NAME"] + [column.header for column in columns] + ["LABELS"] * labels
    rows = []
    for raw in raws:
        metadata = raw["metadata"]
        row = (
            [str(metadata.get("namespace", ""))] * spaces
            + [prefix + metadata["name"]]
            + [column.cell(raw) for column in columns]
        )
        own = metadata.get("labels") or {}
        rows.append(row + [",".join(f"{k}={v}" for k, v in sorted(own.items())) or "<none>"] * labels)
    return table(header, rows, headers)

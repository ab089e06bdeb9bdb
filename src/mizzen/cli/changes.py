"""What a change did: a line per object, its findings, and with ``--wait`` what the proxies made of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from mizzen.cli.connection import control_plane
from mizzen.cli.documents import Read
from mizzen.cli.failure import Exit
from mizzen.cli.findings import has_error, show
from mizzen.cli.output import emit, note, to_json, to_yaml
from mizzen.errors import LabError
from mizzen.lab.client import ControlPlaneClient, LabClient

Json = dict[str, Any]
Known = frozenset[tuple[str, ...]]
"""The findings that there were before a change, by :func:`mizzen.cli.consequences.identity`."""

_FETCHED = ("WasmPlugin", "TrafficExtension")
_ROLLED_OUT = ("Deployment", "StatefulSet", "DaemonSet")
_RETRY_SECONDS = 0.1


def title(result: Json) -> str:
    """``virtualservice.networking.istio.io/reviews``."""
    from mizzen.api.kinds import find_kind

    info = find_kind(str(result["kind"]))
    if info is None:
        return f"{str(result['kind']).lower()}/{result['name']}"
    suffix = f".{info.group}" if info.group else ""
    return f"{info.singular}{suffix}/{result['name']}"


def located(results: Sequence[Json], read: Read | None) -> list[Json]:
    """The results with each finding at the line of its field, where the file is known."""
    if read is None:
        return list(results)
    return [
        {**result, "findings": [read.located(finding) for finding in result.get("findings") or []]}
        for result in results
    ]


def refused(results: Sequence[Json]) -> bool:
    return any(result["action"] == "refused" for result in results)


def show_results(results: Sequence[Json], verb: str = "", dry_run: bool = False) -> None:
    """``…/reviews configured`` on stdout, findings and refusals on stderr. ``verb`` replaces ``configured``."""
    suffix = " (dry run)" if dry_run else ""
    for result in results:
        show(result.get("findings") or [])
        action = result["action"]
        if action == "refused":
            reason = "refused" if result.get("findings") else "not applied: another object was refused"
            note(f"{title(result)} {reason}")
        elif action == "deleted":
            resource, _, name = title(result).partition("/")
            emit(f'{resource} "{name}" deleted{suffix}')
        else:
            emit(f"{title(result)} {verb if verb and action == 'configured' else action}{suffix}")


def show_consequences(
    revision: int, results: Sequence[Json], before: Known, read: Read | None, shown: Sequence[Json] = ()
) -> list[Json]:
    """Print and give back what the control plane finds in the change, when that is built, beside what was ``shown``."""
    from mizzen.cli import consequences

    try:
        found = consequences.of_change(revision, results, before)
    except LabError as error:
        note(f"Warning: what the change means for other objects could not be checked: {error}")
        return []
    told = {consequences.identity(finding) for finding in shown}
    found = [finding for finding in found if consequences.identity(finding) not in told]
    located_findings = [read.located(finding) for finding in found] if read is not None else found
    show(located_findings)
    return located_findings


def wait(client: LabClient, revision: int, results: Sequence[Json], timeout: float) -> Json:
    """Wait until changed workloads are rolled out and every concerned proxy acknowledged (product.md, ``--wait``).

    The answer is the control plane's, plus ``waiting``: what was not ready when ``timeout`` (seconds) had passed.
    """
    deadline = time.monotonic() + timeout
    waiting: list[str] = []
    rolled = [r for r in results if r["kind"] in _ROLLED_OUT and r["action"] in ("created", "configured")]
    for result in rolled:
        left = max(deadline - time.monotonic(), 0.0)
        answer = client.rollout(result["kind"], result["namespace"], result["name"], left)
        if not answer["done"]:
            waiting.append(f"{title(result)}: {answer.get('message', 'not rolled out')}")
    if rolled:
        # The pods of a rollout are changes too, and their endpoints are what the user waits for.
        revision = max(revision, client.objects("Namespace", name="default")[0])
    verdict = _acknowledged(control_plane(), revision, deadline)
    return {**verdict, "waiting": [*waiting, *verdict.get("waiting", [])]}


def _acknowledged(plane: ControlPlaneClient, revision: int, deadline: float) -> Json:
    """The control plane's verdict; a control plane that is being restarted is asked again until the deadline."""
    while True:
        left = deadline - time.monotonic()
        try:
            return plane.wait(revision, max(left, 0.0))
        except LabError as error:
            if left <= 0:
                empty: Json = {
                    "snapshot": None,
                    "done": False,
                    "concerned": [],
                    "acked": [],
                    "refused": [],
                    "disconnected": [],
                }
                return {**empty, "waiting": [f"the control plane does not answer: {error}"]}
            time.sleep(min(_RETRY_SECONDS, left))


def verdict_code(verdict: Json) -> Exit:
    """Refused: 1. Anything not done at the deadline: 4."""
    if verdict["refused"]:
        return Exit.ERROR
    return Exit.NOT_READY if verdict["waiting"] or verdict["disconnected"] or not verdict["done"] else Exit.DONE


def show_verdict(verdict: Json) -> None:
    """The outcome of :func:`wait` in words, on stderr."""
    from mizzen.cli.proxy_status import name_of

    concerned, acked = verdict["concerned"], verdict["acked"]
    for refusal in verdict["refused"]:
        proxy = name_of(refusal["proxy"])
        note(f"Error: proxy {proxy} refused {refusal['type']} {refusal['resource']}: {refusal['reason']}")
    for proxy in verdict["disconnected"]:
        note(f"Error: proxy {name_of(proxy)} is concerned by the change and is not connected")
    answered = {*acked, *verdict["disconnected"], *(refusal["proxy"] for refusal in verdict["refused"])}
    for proxy in sorted({*concerned} - answered):
        note(f"Error: proxy {name_of(proxy)} has not acknowledged yet; mizzen proxy-status shows where it stands")
    for text in (*verdict["waiting"], *filter(None, [verdict.get("error")])):
        note(f"Error: {text}")
    if not concerned and not verdict["waiting"]:
        note(f"snapshot {verdict['snapshot']}: no connected proxy is concerned by this change")
    elif concerned:
        note(f"snapshot {verdict['snapshot']}: {len(acked)} of {len(concerned)} proxies concerned have acknowledged")


def finish(
    client: LabClient,
    answer: Json,
    *,
    output: str | None,
    waits: bool,
    timeout: float,
    dry_run: bool = False,
    verb: str = "",
    read: Read | None = None,
    before: Known | None = None,
) -> int:
    """Print what the supervisor answered to a change, wait if asked to; the exit code.

    ``read`` is where the objects came from; ``before`` what was :func:`mizzen.cli.consequences.known` before the change.
    """
    results = located(answer["results"], read)
    structured = output in ("json", "yaml")
    if structured:
        for result in results:
            show(result.get("findings") or [])
    elif output == "name":
        for result in results:
            show(result.get("findings") or [])
            emit(title(result) if result["action"] != "refused" else "")
    else:
        show_results(results, verb, dry_run)
    document: Json = {"revision": answer["revision"], "results": results}
    if before is not None and not dry_run:
        document["findings"] = show_consequences(answer["revision"], results, before, read)
    code = Exit.ERROR if refused(results) or (read is not None and has_error(read.findings)) else Exit.DONE
    if waits and not dry_run:
        verdict = wait(client, answer["revision"], results, timeout)
        document = {
            key: verdict[key]
            for key in ("snapshot", "concerned", "acked", "refused", "disconnected", "done", "waiting")
        } | document
        if before is not None and any(result["kind"] in _FETCHED for result in results):
            # What only the proxies' agents could find out: a module that is not there.
            shown = document["findings"]
            document["findings"] = [*shown, *show_consequences(answer["revision"], results, before, read, shown)]
        show_verdict(verdict)
        code = max(code, verdict_code(verdict)) if code is Exit.DONE else code
    if structured:
        render: Callable[[Any], str] = to_json if output == "json" else to_yaml
        emit(render(document))
    return code

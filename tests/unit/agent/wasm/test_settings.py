"""Istio's variables about modules."""

from __future__ import annotations

from pathlib import Path

import pytest

from mizzen.agent.settings import seconds
from mizzen.agent.wasm.settings import DIRECTORY, WasmSettings, from_environment


@pytest.mark.row("WP-14")
def test_the_variables_and_their_defaults() -> None:
    plain = from_environment({}, seconds)
    assert plain == WasmSettings(boot=plain.boot if plain else "", directory=DIRECTORY)
    assert plain is not None
    assert (plain.limit, plain.timeout, plain.retries, plain.expiry, plain.purge) == (1 << 28, 15, 5, 86400, 3600)
    found = from_environment(
        {
            "MIZZEN_WASM_PATH": "/x",
            "ISTIO_WASM_MAX_BINARY_SIZE_BYTES": "1000",
            "WASM_HTTP_REQUEST_TIMEOUT": "3s",
            "WASM_HTTP_REQUEST_MAX_RETRIES": "2",
            "WASM_MODULE_EXPIRY": "2h",
            "WASM_PURGE_INTERVAL": "1m",
            "WASM_INSECURE_REGISTRIES": "a.example, b.example:5000",
            "BLOCKED_CIDRS_IN_WASM_FETCH": "10.0.0.0/8,fd00::/8",
        },
        seconds,
    )
    assert found is not None
    assert found.boot not in ("", plain.boot), "each life has its own"
    assert (found.directory, found.limit, found.timeout, found.retries) == (Path("/x"), 1000, 3.0, 2)
    assert (found.expiry, found.purge) == (7200.0, 60.0)
    assert found.insecure == ("a.example", "b.example:5000")
    assert found.blocked == ("10.0.0.0/8", "fd00::/8")


@pytest.mark.row("WP-15")
def test_fetching_is_switched_off() -> None:
    assert from_environment({"ISTIO_AGENT_ENABLE_WASM_REMOTE_LOAD_CONVERSION": "false"}, seconds) is None


@pytest.mark.row("WP-14")
@pytest.mark.parametrize(
    "variable", ["ISTIO_WASM_MAX_BINARY_SIZE_BYTES", "WASM_HTTP_REQUEST_MAX_RETRIES", "BLOCKED_CIDRS_IN_WASM_FETCH"]
)
def test_what_cannot_be_read_is_named(variable: str) -> None:
    with pytest.raises(ValueError, match=variable):
        from_environment({variable: "-5 or so"}, seconds)

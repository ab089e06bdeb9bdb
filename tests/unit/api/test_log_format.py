"""Which format strings a proxy takes. Every verdict here is Envoy 1.40's own, tried with ``--mode validate``."""

import pytest

from mizzen.api import log_format
from mizzen.translate.access_log import JSON, TEXT

TAKEN = [
    "plain",
    "100%% %PROTOCOL%",
    "%REQ(X-A?:PATH):10% %RESP(a)% %TRAILER(b)%",
    "%REQ_WITHOUT_QUERY(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    "%START_TIME% %START_TIME(%Y/%m/%dT%H:%M:%S%z %s)%",
    "%METADATA(ROUTE:a:b)% %DYNAMIC_METADATA(a:b):5% %FILTER_STATE(a:FIELD:b):3%",
    "%COMMON_DURATION(DS_RX_BEG:US_RX_END:ms)% %GRPC_STATUS(NUMBER)% %PATH(NQ:ORIG_OR_PATH)%",
    "%CEL(request.headers['a'])% %CEL(has(a.b) ? 'x' : '%')%",
    "%ENVIRONMENT(A)% %HOSTNAME% %UPSTREAM_CLUSTER_RAW%",
]
REFUSED = {
    "%NO_SUCH_OPERATOR%": "NO_SUCH_OPERATOR is no operator",
    "100% sure": "no operator begins",
    "%protocol%": "no operator begins",
    "%PROTOCOL": "no operator begins",
    "%PROTOCOL(a)%": "does not take the arguments",
    "%PROTOCOL:5%": "cannot be cut",
    "%REQ%": "needs arguments",
    "%REQ()%": "needs arguments",
    "%REQ(A?B?C)%": "does not take the arguments",
    "%REQ(a:b)%": "does not take the arguments",
    "%METADATA(NOPE:a:b)%": "does not take the arguments",
    "%FILTER_STATE(a:NOPE)%": "does not take the arguments",
    "%CEL(string(response.code))%": "string() is no function",
    "%CEL(int(response.code)%2 == 0)%": "ends too early",
    "fine %PROTOCOL% then %OOPS%": "OOPS",
}


@pytest.mark.row("LG-04")
@pytest.mark.parametrize("text", [*TAKEN, TEXT])
def test_taken(text: str) -> None:
    assert log_format.problem(text) == ""


@pytest.mark.row("LG-04")
@pytest.mark.parametrize("text", REFUSED)
def test_refused_with_the_reason(text: str) -> None:
    assert REFUSED[text] in log_format.problem(text)


@pytest.mark.row("LG-04")
def test_the_values_of_labels_are_read_however_deep() -> None:
    assert log_format.problem_in(JSON) == ""
    assert log_format.problem_in({"a": 1, "b": None, "c": ["%PROTOCOL%"], "d": {"e": "%PROTOCOL%"}}) == ""
    assert "OOPS" in log_format.problem_in({"a": "x", "d": {"e": ["%OOPS%"]}})

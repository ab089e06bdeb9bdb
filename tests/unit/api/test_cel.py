"""Which CEL expressions a proxy takes. Every verdict here is Envoy 1.40's own, tried with ``--mode validate``."""

import pytest

from mizzen.api import cel

TAKEN = [
    "response.code >= 400",
    "request.path.matches('^/a') && !request.path.contains('b')",
    "'x-a' in request.headers ? request.headers['x-a'] : 'none'",
    "has(request.headers.a)",
    "has((a.b))",
    "size(request.path) > 1 || request.path.size() == 0u",
    "int(response.code / 100) == 5",
    "duration('1s') < duration('2s')",
    "request.time.getHours('UTC') == 1",
    "re.extract(request.path, 'a', 'b') == 'c'",
    "{'a': 1}['a'] in [1, 2,]",
    "// words\n 1 == 1",
    'r\'a\\d\' == """b""" || b\'x\' == x',
    "0x1F != 1e3",
    "007 == .5",
    "some-cel-expression",
    "!!a || --b < 0",
    "contains(a, 'b')",
]
REFUSED = {
    "": "ends too early",
    "response.code >=": "ends too early",
    "a b": "unexpected 'b' at position 2",
    "a & b": "unexpected '&'",
    "a.": "ends too early",
    "a.in": "unexpected 'in'",
    "if": "unexpected 'if'",
    "nosuch(1)": "nosuch() is no function",
    "a.nosuch()": "nosuch() is no function",
    "size(1, 2)": "does not take 2 arguments",
    "has(a)": "has() takes a field",
    "[1].exists(x, x == 1)": "loops",
    "a.matches('[')": "no regular expression",
    "matches(a, '(')": "no regular expression",
    "123456789012345678901234567890": "too large",
    "0xFFFFFFFFFFFFFFFF": "too large",
    "Foo{a: 1}": "messages cannot be made",
    "'a": "unexpected",
    "'a\\q'": "unexpected",
    'r"a\\" == b': "unexpected",
    "f(1,)": "unexpected ')'",
    "a ? b :": "ends too early",
    "a ? b ? c : d : e": "where ':' should be",
    "a[]": "unexpected ']'",
}
ON_TEXTS = [
    "string(response.code) == '1'",
    "request.path.split('/')[1] == 'a'",
    "request.path.replace('a', 'b').lowerAscii().trim() == 'a'",
    "['a'].join(',') == request.path.substring(1)",
    "'%s'.format([a]) == strings.quote(a)",
    "'a' + b == 'ab'",
]


@pytest.mark.row("LG-06", "TM-02")
@pytest.mark.parametrize("expression", TAKEN)
def test_taken(expression: str) -> None:
    assert cel.problem(expression) == ""
    assert cel.problem(expression, texts=True) == ""


@pytest.mark.row("LG-06", "TM-02", "TM-04")
@pytest.mark.parametrize("expression", REFUSED)
def test_refused_with_the_reason(expression: str) -> None:
    assert REFUSED[expression] in cel.problem(expression)
    assert REFUSED[expression] in cel.problem(expression, texts=True)


@pytest.mark.row("LG-06", "TM-04")
@pytest.mark.parametrize("expression", ON_TEXTS)
def test_functions_on_texts_are_there_for_filters_alone(expression: str) -> None:
    assert cel.problem(expression, texts=True) == ""
    assert cel.problem(expression) != ""


def test_nesting_and_length_have_limits() -> None:
    assert cel.problem("(" * 30 + "a" + ")" * 30) == ""
    assert "nested" in cel.problem("(" * 3000 + "a" + ")" * 3000)
    assert "longer" in cel.problem("a" * 20_000)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("string(destination.port)", "destination.port"),
        (" string( f(a)(b) ) ", "f(a)(b)"),
        ("string(a) + string(b)", "string(a) + string(b)"),
        ("string(')')", "')'"),
        ("string", "string"),
        ("a'", "a'"),
    ],
)
def test_one_call_around_the_whole_is_taken_off(expression: str, expected: str) -> None:
    assert cel.unwrapped(expression, "string") == expected

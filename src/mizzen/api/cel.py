"""CEL as Envoy 1.40 takes it: an expression with a fault or an unknown function makes Envoy refuse the whole listener, so
it is read here first (rows LG-04, LG-06, TM-02, TM-04). Grammar: the language definition of cel-spec; functions: tried."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass

import re2

_DEEPEST = 40
"""Brackets inside brackets. Envoy itself stops at 250 calls of its parser."""
_LONGEST = 16_384

_ESCAPE = r"""\\(?:[abfnrtv\\'"`?]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2})"""
_TOKEN = re.compile(
    rf"""(?P<space>(?:\s+|//[^\n]*)+)
    |(?P<text>
        [bB]?[rR](?:\"\"\".*?(?<!\\)\"\"\"|'''.*?(?<!\\)'''|"[^"\n]*(?<!\\)"|'[^'\n]*(?<!\\)')
        |[bB]?(?:\"\"\"(?:{_ESCAPE}|[^\\])*?\"\"\"|'''(?:{_ESCAPE}|[^\\])*?'''
        |"(?:{_ESCAPE}|[^"\\\n])*"|'(?:{_ESCAPE}|[^'\\\n])*'))
    |(?P<number>0x[0-9a-fA-F]+[uU]?|[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|[0-9]+[uU]?)
    |(?P<name>[_a-zA-Z][_a-zA-Z0-9]*)
    |(?P<sign>&&|\|\||[<>=!]=|[-+*/%<>!?:.,()\[\]{{}}])""",
    re.VERBOSE | re.DOTALL,
)
_RESERVED = frozenset(
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
        "in",
    ]
)
_BINARY = (frozenset({"||"}), frozenset({"&&"}), frozenset({"<", "<=", ">=", ">", "==", "!=", "in"}), frozenset("+-"))
_TIMES = frozenset("*/%")

_PLAIN: dict[str, frozenset[int]] = {
    **dict.fromkeys(
        ("size", "int", "uint", "double", "bool", "bytes", "duration", "timestamp", "type"), frozenset({1})
    ),
    "dyn": frozenset({1}),
    "has": frozenset({1}),
    **dict.fromkeys(("matches", "contains", "startsWith", "endsWith"), frozenset({2})),
}
_GETTERS = [
    "FullYear",
    "Month",
    "Date",
    "DayOfMonth",
    "DayOfWeek",
    "DayOfYear",
    "Hours",
    "Minutes",
    "Seconds",
    "Milliseconds",
]
_MEMBERS: dict[str, frozenset[int]] = {
    "size": frozenset({0}),
    **dict.fromkeys(("matches", "contains", "startsWith", "endsWith"), frozenset({1})),
    **dict.fromkeys((f"get{part}" for part in _GETTERS), frozenset({0, 1})),
}
_TEXT_PLAIN = {"string": frozenset({1})}
_TEXT_MEMBERS: dict[str, frozenset[int]] = {
    **dict.fromkeys(("lowerAscii", "upperAscii", "trim", "reverse"), frozenset({0})),
    **dict.fromkeys(("substring", "indexOf", "lastIndexOf", "split"), frozenset({1, 2})),
    **dict.fromkeys(("charAt", "format"), frozenset({1})),
    "replace": frozenset({2, 3}),
    "join": frozenset({0, 1}),
}
_QUALIFIED = {"re.extract": 3, "re.capture": 2, "re.captureN": 2}
_TEXT_QUALIFIED = {"strings.quote": 1}
_WIDEST = {"u": 2**64 - 1, "": 2**63 - 1}
_RE2 = re2.Options()
_RE2.log_errors = False
_MACROS = frozenset({"all", "exists", "exists_one", "map", "filter"})


@dataclass(frozen=True)
class Token:
    """``kind``: text, number, name or sign."""

    kind: str
    text: str
    start: int


def tokens(expression: str) -> list[Token]:
    """The tokens of ``expression``, spaces and comments left out. Raises ValueError."""
    found, place = [], 0
    while place < len(expression):
        match = _TOKEN.match(expression, place)
        if match is None:
            raise ValueError(f"unexpected {expression[place]!r} at position {place}")
        if match.lastgroup != "space":
            found.append(Token(match.lastgroup or "", match.group(), place))
        place = match.end()
    return found


def problem(expression: str, *, texts: bool = False) -> str:
    """Why Envoy would refuse ``expression``; empty: it takes it.

    ``texts``: the functions on texts are there (``string``, ``split``, ``replace``, ``lowerAscii`` …), as they are in a
    filter of access logs; in a format or the tag of a metric they are not, and texts are not joined by ``+`` either.
    """
    if len(expression) > _LONGEST:
        return f"is longer than {_LONGEST} characters"
    try:
        _Parser(tokens(expression), texts=texts).run()
    except ValueError as error:
        return str(error)
    return ""


class _Parser:
    """Recursive descent; nothing is kept but the kind of each operand: ``name``, ``selection`` (``a.b``), ``text`` or other."""

    def __init__(self, found: list[Token], *, texts: bool) -> None:
        self._tokens, self._texts, self._place, self._depth = found, texts, 0, 0
        self._plain = {**_PLAIN, **(_TEXT_PLAIN if texts else {})}
        self._members = {**_MEMBERS, **(_TEXT_MEMBERS if texts else {})}
        self._qualified = {**_QUALIFIED, **(_TEXT_QUALIFIED if texts else {})}

    def run(self) -> None:
        self._whole()
        if self._place < len(self._tokens):
            raise self._unexpected()

    def _peek(self) -> str:
        """The next sign or word; empty at the end, and before a text."""
        if self._place >= len(self._tokens):
            return ""
        token = self._tokens[self._place]
        return "" if token.kind == "text" else token.text

    def _take(self, *wanted: str) -> bool:
        if self._peek() not in wanted or not self._peek():
            return False
        self._place += 1
        return True

    def _expect(self, wanted: str) -> None:
        if not self._take(wanted):
            raise self._unexpected(f", where {wanted!r} should be")

    def _unexpected(self, more: str = "") -> ValueError:
        if self._place >= len(self._tokens):
            return ValueError(f"ends too early{more}")
        token = self._tokens[self._place]
        return ValueError(f"unexpected {token.text!r} at position {token.start}{more}")

    def _whole(self) -> str:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError(f"brackets are nested more than {_DEEPEST} deep")
        kind = self._level(0)
        if self._take("?"):
            kind = "other"
            self._level(0)
            self._expect(":")
            self._whole()
        self._depth -= 1
        return kind

    def _level(self, level: int) -> str:
        below: Callable[[], str] = (lambda: self._level(level + 1)) if level + 1 < len(_BINARY) else self._product
        kind = below()
        while self._take(*_BINARY[level]):
            joined = self._tokens[self._place - 1].text == "+"
            if "text" in (kind, below()) and joined and not self._texts:
                raise ValueError("texts cannot be joined here")
            kind = "other"
        return kind

    def _product(self) -> str:
        kind = self._unary()
        while self._take(*_TIMES):
            kind = "other"
            self._unary()
        return kind

    def _unary(self) -> str:
        negated = self._take("!", "-")
        while self._take("!", "-"):
            pass
        kind = self._member()
        return "other" if negated else kind

    def _member(self) -> str:
        start = self._place
        kind = self._primary()
        while True:
            if self._take("."):
                kind = self._selected(start)
            elif self._take("["):
                kind = "other"
                self._whole()
                self._expect("]")
            elif kind in ("name", "selection") and self._peek() == "{":
                raise ValueError("messages cannot be made here")
            else:
                return kind

    def _selected(self, start: int) -> str:
        name = self._name()
        if not self._take("("):
            return "selection"
        if name in _MACROS:
            raise ValueError(f"{name}() cannot be used: proxies do not evaluate loops")
        before = [token.text for token in self._tokens[start : self._place - 1]]
        arguments = self._place
        count = self._arguments()
        if self._qualified.get("".join(before)) == count:
            return "other"
        self._known(self._members, name, count)
        if name == "matches":
            self._pattern(arguments)
        return "other"

    def _pattern(self, place: int) -> None:
        """A pattern that is written out is compiled when the expression is loaded."""
        token, before, after = (self._tokens[place + step] for step in (0, -1, 1))
        if token.kind != "text" or before.text not in ("(", ",") or after.text != ")":
            return
        try:
            re2.compile(ast.literal_eval(token.text), _RE2)
        except re2.error:
            raise ValueError(f"{token.text} is no regular expression (RE2)") from None
        except (ValueError, SyntaxError):
            return

    def _name(self) -> str:
        token = self._tokens[self._place] if self._place < len(self._tokens) else None
        if token is None or token.kind != "name" or token.text in ("in", "true", "false", "null"):
            raise self._unexpected()
        self._place += 1
        return token.text

    def _primary(self) -> str:
        if self._take("("):
            kind = self._whole()
            self._expect(")")
            return kind if kind == "selection" else "other"
        if self._take("["):
            self._entries("]", named=False)
            return "other"
        if self._take("{"):
            self._entries("}", named=True)
            return "other"
        if self._take("true", "false", "null"):
            return "other"
        if self._place < len(self._tokens) and self._tokens[self._place].kind in ("text", "number"):
            token = self._tokens[self._place]
            _fits(token)
            self._place += 1
            return "text" if token.kind == "text" else "other"
        self._take(".")
        return self._word()

    def _word(self) -> str:
        if self._peek() in _RESERVED:
            raise self._unexpected()
        name = self._name()
        if not self._take("("):
            return "name"
        start = self._place
        kind = "other"
        if name == "has":
            kind = self._whole()
            self._place = start
        count = self._arguments()
        if name == "has" and kind != "selection":
            raise ValueError("has() takes a field, as in has(request.headers)")
        self._known(self._plain, name, count)
        if name == "matches":
            self._pattern(self._place - 2)
        return "other"

    def _arguments(self) -> int:
        """Up to the closing bracket; how many there are."""
        if self._take(")"):
            return 0
        count = 1
        self._whole()
        while self._take(","):
            self._whole()
            count += 1
        self._expect(")")
        return count

    def _entries(self, end: str, *, named: bool) -> None:
        while not self._take(end):
            self._whole()
            if named:
                self._expect(":")
                self._whole()
            if not self._take(","):
                self._expect(end)
                return

    @staticmethod
    def _known(functions: dict[str, frozenset[int]], name: str, count: int) -> None:
        if name not in functions:
            raise ValueError(f"{name}() is no function that proxies have here")
        if count not in functions[name]:
            raise ValueError(f"{name}() does not take {count} arguments")


def _fits(token: Token) -> None:
    """Raises ValueError for a whole number that no proxy can hold."""
    if token.kind != "number" or not token.text.rstrip("uU").isalnum() or "e" in token.text.lower().removeprefix("0x"):
        return
    suffix = "u" if token.text[-1] in "uU" else ""
    digits = token.text.rstrip("uU")
    if int(digits, 16 if digits.startswith("0x") else 10) > _WIDEST[suffix]:
        raise ValueError(f"{token.text} is too large a number")


def unwrapped(expression: str, function: str) -> str:
    """The argument of ``function``, where the whole ``expression`` is one call of it; else ``expression``."""
    try:
        found = tokens(expression)
    except ValueError:
        return expression
    if [token.text for token in found[:2]] != [function, "("] or found[-1].text != ")":
        return expression
    depth = 0
    for token in found[1:-1]:
        depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "sign" else 0
        if not depth:
            return expression
    return expression[found[1].start + 1 : found[-1].start].strip()

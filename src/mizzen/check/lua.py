"""Is a text Lua? As far as its grammar tells: Envoy refuses a whole listener for one script that it cannot read.

The grammar is that of LuaJIT, which Envoy has: Lua 5.1 with ``goto`` and labels. Where builds of LuaJIT differ the wider
form is taken: what this refuses no Envoy reads, but for nesting of more than 80 levels.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import NamedTuple

_DEEPEST = 80
"""Levels of nesting; LuaJIT stops at 200 of its own."""

_KEYWORDS = frozenset(
    [
        "and",
        "break",
        "do",
        "else",
        "elseif",
        "end",
        "false",
        "for",
        "function",
        "if",
        "in",
        "local",
        "nil",
        "not",
        "or",
        "repeat",
        "return",
        "then",
        "true",
        "until",
        "while",
    ]
)
_HEADER = re.compile(r"\ufeff?(?:\#[^\n]*)?")
"""What LuaJIT passes over at the beginning of a script."""
_LONG = re.compile(r"(?P<comment>--)?\[(?P<level>=*+)\[")
_ESCAPE = r"""\\(?>[abfnrtv\\"'] | z\s* | \r\n | [\r\n] | x[0-9a-fA-F]{2} | u\{[0-9a-fA-F]+\} | \d{1,3})"""
_TOKEN = re.compile(
    rf"""
    (?P<space> \s++ | --[^\n]*+ )
  | (?P<name> [A-Za-z_\x80-\U0010ffff][\w\x80-\U0010ffff]*+ )
  | (?P<number> (?: 0[xX][0-9a-fA-F]*+\.?[0-9a-fA-F]*+(?:[pP][+-]?\d+)? | 0[bB][01]+
      | (?:\d++\.?\d*+|\.\d++)(?:[eE][+-]?\d+)? ) (?:[uU]?[lL][lL]|[iI])? )
  | (?P<string> "(?> [^"\\\n] | {_ESCAPE} )*+" | '(?> [^'\\\n] | {_ESCAPE} )*+' )
  | (?P<operator> \.\.\. | \.\. | == | ~= | <= | >= | :: | [-+*/%^\#<>=(){{}}\[\];:,.] )
    """,
    re.VERBOSE | re.ASCII,
)
"""Nothing in it can be read in two ways, so that no text takes long."""
_BINARY = frozenset(("+", "-", "*", "/", "%", "^", "..", "==", "~=", "<", ">", "<=", ">=", "and", "or"))
_CONSTANTS = frozenset(("nil", "true", "false", "..."))


class NoLua(Exception):
    """What is wrong, with the line."""


class _Form(Enum):
    """What an expression may be used as: assigned to, run as a statement, or neither."""

    PLACE = auto()
    CALL = auto()
    VALUE = auto()


class _Token(NamedTuple):
    kind: str
    text: str
    line: int


def problem(text: str) -> str:
    """What is wrong with a script; empty when nothing is."""
    try:
        _Parser(_tokens(text)).chunk()
    except NoLua as error:
        return str(error)
    return ""


def _tokens(text: str) -> list[_Token]:
    header = _HEADER.match(text)
    found, at, line = [], header.end() if header else 0, 1
    while at < len(text):
        kind, end = _next(text, at, line)
        piece = text[at:end]
        if kind != "space":
            found.append(_Token("keyword" if piece in _KEYWORDS else kind, piece, line))
        line += piece.count("\n")
        at = end
    return [*found, _Token("end", "the end", line)]


def _next(text: str, at: int, line: int) -> tuple[str, int]:
    """The kind of the token that begins at a place, and where it ends."""
    if opened := _LONG.match(text, at):
        close = f"]{opened['level']}]"
        end = text.find(close, opened.end())
        if end < 0:
            raise NoLua(f"line {line}: {opened.group()[:20]!r} is never closed")
        return ("space" if opened["comment"] else "string"), end + len(close)
    match = _TOKEN.match(text, at)
    if match is not None:
        return str(match.lastgroup), match.end()
    begin = text[at : at + 20].splitlines()[0]
    if begin[:1] in ("'", '"'):
        raise NoLua(f"line {line}: {begin!r} begins a text that does not end, or with an escape that Lua does not know")
    raise NoLua(f"line {line}: {begin!r} begins nothing that Lua knows")


class _Parser:
    """Recursive descent; each method reads what it is named after."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def chunk(self) -> None:
        self._block()
        if self._now.kind != "end":
            self._fail()

    @property
    def _now(self) -> _Token:
        return self._tokens[self._at]

    def _fail(self) -> None:
        raise NoLua(f"line {self._now.line}: {self._now.text[:40]!r} is not expected here")

    def _is(self, *texts: str) -> bool:
        return self._now.kind in ("keyword", "operator") and self._now.text in texts

    def _take(self, *texts: str) -> bool:
        if not self._is(*texts):
            return False
        self._at += 1
        return True

    def _need(self, text: str) -> None:
        if not self._take(text):
            self._fail()

    def _kind(self, kind: str) -> None:
        if self._now.kind != kind:
            self._fail()
        self._at += 1

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise NoLua(f"line {self._now.line}: it nests too deeply")

    def _block(self) -> None:
        self._deeper()
        while self._now.kind != "end" and not self._is("end", "else", "elseif", "until"):
            if self._take("return"):
                if not self._is("end", "else", "elseif", "until", ";") and self._now.kind != "end":
                    self._expressions()
                self._take(";")
                break
            self._statement()
        self._depth -= 1

    def _statement(self) -> None:
        simple = {
            "if": self._if,
            "while": self._while,
            "do": self._do,
            "for": self._for,
            "repeat": self._repeat,
            "function": self._function,
            "local": self._local,
        }
        if self._take(";", "break"):
            return
        if self._take("::"):
            self._kind("name")
            self._need("::")
        elif self._now.kind == "keyword" and self._now.text in simple:
            self._at += 1
            simple[self._tokens[self._at - 1].text]()
        elif self._now.text == "goto" and self._tokens[self._at + 1].kind == "name":
            self._at += 2
        else:
            self._call_or_assignment()

    def _if(self) -> None:
        while True:
            self._expression()
            self._need("then")
            self._block()
            if not self._take("elseif"):
                break
        if self._take("else"):
            self._block()
        self._need("end")

    def _while(self) -> None:
        self._expression()
        self._need("do")
        self._do()

    def _do(self) -> None:
        self._block()
        self._need("end")

    def _for(self) -> None:
        self._kind("name")
        if self._take("="):
            self._expressions()
        else:
            while self._take(","):
                self._kind("name")
            self._need("in")
            self._expressions()
        self._need("do")
        self._do()

    def _repeat(self) -> None:
        self._block()
        self._need("until")
        self._expression()

    def _function(self) -> None:
        self._kind("name")
        while self._take("."):
            self._kind("name")
        if self._take(":"):
            self._kind("name")
        self._body()

    def _local(self) -> None:
        if self._take("function"):
            self._kind("name")
            self._body()
            return
        self._kind("name")
        while self._take(","):
            self._kind("name")
        if self._take("="):
            self._expressions()

    def _body(self) -> None:
        self._need("(")
        if not self._take(")"):
            while not self._take("..."):
                self._kind("name")
                if not self._take(","):
                    break
            self._need(")")
        self._do()

    def _call_or_assignment(self) -> None:
        form = self._suffixed()
        if form is _Form.CALL and not self._is("=", ","):
            return
        while True:
            if form is not _Form.PLACE:
                self._fail()
            if not self._take(","):
                break
            form = self._suffixed()
        self._need("=")
        self._expressions()

    def _suffixed(self) -> _Form:
        """A name, or an expression in brackets, with what follows it."""
        form = _Form.PLACE
        if self._take("("):
            self._expression()
            self._need(")")
            form = _Form.VALUE
        else:
            self._kind("name")
        while True:
            if self._take("."):
                self._kind("name")
                form = _Form.PLACE
            elif self._take("["):
                self._expression()
                self._need("]")
                form = _Form.PLACE
            elif self._is(":", "(", "{") or self._now.kind == "string":
                if self._take(":"):
                    self._kind("name")
                self._arguments()
                form = _Form.CALL
            else:
                return form

    def _arguments(self) -> None:
        if self._now.kind == "string":
            self._at += 1
        elif self._take("("):
            if not self._take(")"):
                self._expressions()
                self._need(")")
        else:
            self._table()

    def _table(self) -> None:
        self._need("{")
        while not self._take("}"):
            if self._take("["):
                self._expression()
                self._need("]")
                self._need("=")
            elif self._now.kind == "name" and self._tokens[self._at + 1].text == "=":
                self._at += 2
            self._expression()
            if not self._take(",", ";"):
                self._need("}")
                return

    def _expressions(self) -> None:
        self._expression()
        while self._take(","):
            self._expression()

    def _expression(self) -> None:
        self._deeper()
        while True:
            while self._take("-", "#", "not"):
                pass
            self._operand()
            if not self._take(*_BINARY):
                break
        self._depth -= 1

    def _operand(self) -> None:
        if self._now.kind in ("number", "string") or self._is(*_CONSTANTS):
            self._at += 1
        elif self._take("function"):
            self._body()
        elif self._is("{"):
            self._table()
        else:
            self._suffixed()

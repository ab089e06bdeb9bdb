"""What is Lua and what is not."""

from __future__ import annotations

import time

import pytest

from mizzen.check.lua import problem

GOOD = [
    "",
    'function envoy_on_request(h) h:headers():add("a", "b") end',
    "local x, y = 1; x = x + 2",
    'a.b.c[1]:d{1, 2; x = 3, ["y"] = 4,} "s" [[t]]',
    "for i = 1, 2, 3 do end for k, v in pairs(t) do break end",
    "repeat local a until a == 1 while true do return end",
    "if a then elseif b then else end",
    "return",
    "return 1, 2;",
    "local function f(a, ...) return ... end function a.b:c() end x = function() end",
    "f() (f or g)(1); (f).x = 1 a, b[1], c.d = 1, 2",
    "goto done ::done:: goto_ = 1",
    "local s = [==[ ]] ]==] --[[ c\n ]] -- x",
    "x = 0x1F + 1e5 - .5 .. 'a\\\nb' .. 10LL .. 3. ^ -2",
    "a = not -#t and b or c ~= d",
    'x = "\\x41\\z   b \\" "',
    "x = {f(), function() end, {}, [1] = 2}",
    "return function(a) return a end",
    "-- only a comment",
    "café = 1",
    "#!/usr/bin/lua\nx = 1",
    "\ufeff# only a header",
    "x = 0b101 + 0x1p4",
    "x = '\\065\\u{41}\\a' .. \"\\\r\n\"",
]
BAD = [
    "function f(",
    "end",
    "x",
    "x = ",
    "1 = 2",
    "f() = 1",
    "if a the end",
    "local 1",
    "a b",
    '"x',
    "x = [[",
    "return 1 2",
    "return return",
    "for i do end",
    "function f() end end",
    "--[[ x",
    "x = {1, 2",
    "f(1,)",
    "a.1",
    "x = 5 5",
    "(f)",
    "(f) = 1",
    'h:add("a" "b")',
    "a:b",
    "x = $",
    "local x = = 1",
    "x = 'a' 'b'",
    "a.end = 1",
    "x = 1..2",
    "x = '\\d+'",
    "x = '\\x4'",
    "x = 1\n# no header",
    "(" * 5000,
    "x = " + "{" * 5000,
]


@pytest.mark.row("WP-13")
@pytest.mark.parametrize("text", GOOD)
def test_what_lua_reads_is_taken(text: str) -> None:
    assert problem(text) == ""


@pytest.mark.row("WP-13")
@pytest.mark.parametrize("text", BAD, ids=lambda text: text[:20])
def test_what_lua_does_not_read_is_refused(text: str) -> None:
    assert problem(text)


@pytest.mark.parametrize(
    "text", ['"' + "\\z " * 10_000, "[" * 65_536, "[=" * 30_000, "--[=[" * 10_000, "x = '" + "\\\r\n" * 20_000]
)
def test_no_script_takes_long(text: str) -> None:
    begin = time.process_time()
    assert problem(text)
    assert time.process_time() - begin < 3


def test_the_line_is_told() -> None:
    assert problem("local a = 1\n\nfunction f()\n  x x\nend").startswith("line 4: 'x'")
    assert problem("--[[ \n\n ]] f(").startswith("line 3:")

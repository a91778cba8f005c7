"""
Mutation: a valid input becomes a hostile one that still has its form, so that it gets past the first check.

A mutator changes bytes by a seeded chance: cells of a table, nodes of JSON, lines of TOML, words of a text. All else
(single bits, spliced halves) libFuzzer does by itself.
"""

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

type Mutator = Callable[[bytes, Random], bytes]

HOSTILE_TEXTS = (
    "", " ", "\x00", "\n", "\r\n", "\t", "\x1b[2J", "\ufeff", "\u202e", "\u200b", "\u0301" * 30, "\ud800", "\udfff",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467", "Ⅷ" * 40, "ﷺ" * 20, "a" * 5000, "9" * 5000, "١٢٣", "１２３",
    "=1+1", "+1", "-1", "@SUM(A1)", "＝1+1", "＋1", "－1", "＠A1", "'=1+1", '"=1+1"', "../../etc/passwd", "..\\..\\x",
    "<script>alert(1)</script>", "'; DROP TABLE customers; --", "{{7*7}}", "${jndi:ldap://x}", "%s%n", "null", "NaN",
    "C1\n", "customer#1", "+886900000001", "0900-000-001", "+19005550100", "+881612345678", "A123456789",
    "2026-02-30", "0001-01-01", "9999-12-31", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00",
    "2026-12-01T00:00:00", "2026-12-01T24:00:00Z", "2026-W49-2", "115/12/05", "1e400", "-0", "0x10", "1_000", "1,000",
    "1.000,00", "9.12E+08", "#N/A", "STOP", "退訂", "已繳 STOP 5678", "TW", "XX", "TWD", "XAU", "Etc/GMT+12",
)  # fmt: skip
"""What has broken programs that read texts."""

HOSTILE_NUMBERS: Sequence[Any] = (
    0, -1, 1, 2**31, 2**53, 2**63, -(2**63), 2**64, 10**15, 10**16, 10**30, 10**38, 10**4299, 0.1, 1.0, -0.0, 1e308,
    float("inf"), float("-inf"), float("nan"), True, False, None,
)  # fmt: skip

_DEEP = 60
_LONG = 300


def mutate_text(data: bytes, chance: Random) -> bytes:
    """Insert, repeat, exchange or take out parts of a text."""
    text = data.decode("utf-8", "surrogateescape")
    start = chance.randrange(len(text) + 1)
    end = min(len(text), start + chance.randrange(12))
    match chance.randrange(6):
        case 0:
            text = text[:start] + chance.choice(HOSTILE_TEXTS) + text[start:]
        case 1:
            text = text[:start] + chance.choice(HOSTILE_TEXTS) + text[end:]
        case 2:
            text = text[:start] + text[end:]
        case 3:
            text = text[:end] + text[start:end] * chance.randrange(1, _LONG) + text[end:]
        case 4:
            text = text[:start] + chr(chance.randrange(0x110000)) + text[start:]
        case _:
            words = text.split(" ")
            chance.shuffle(words)
            text = " ".join(words)
    return _encoded(text)


def mutate_lines(data: bytes, chance: Random) -> bytes:
    """Change a file of lines: TOML, or JSON in lines."""
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    match chance.randrange(7):
        case 0:
            lines.insert(at, lines[other])
        case 1:
            del lines[at]
        case 2:
            lines[at], lines[other] = lines[other], lines[at]
        case 3:
            key, sign, _ = lines[at].partition("=")
            lines[at] = f"{key}{sign} {_toml_value(chance)}"
        case 4:
            key, sign, value = lines[at].partition("=")
            lines[at] = f"{chance.choice(HOSTILE_TEXTS).strip() or 'x'} {sign}{value}" if sign else f"[{key}]"
        case 5:
            key, sign, value = lines[at].partition("=")
            lines[at] = f"{key}{sign}" + _encoded(value).decode("utf-8", "replace").replace(
                str(chance.randrange(10)), chance.choice(("-1", "99", "0", "", "x"))
            )
        case _:
            lines[at] = mutate_text(_encoded(lines[at]), chance).decode("utf-8", "surrogateescape")
    return _encoded("\n".join(lines))


def _toml_value(chance: Random) -> str:
    match chance.randrange(8):
        case 0:
            return json.dumps(chance.choice(HOSTILE_TEXTS), ensure_ascii=False)
        case 1:
            return "[" * (deep := chance.randrange(1, _DEEP)) + "]" * deep
        case 2:
            return chance.choice(("true", "nan", "-inf", "1e400", "0.1", "9" * 5000, "-1", "10" + "0" * 30))
        case 3:
            return chance.choice(("0001-01-01", "9999-12-31", "2026-02-30", "2026-12-01T00:00:00+14:00", "10:00:00"))
        case 4:
            return "{ a = 1 }"
        case 5:
            return '["a", "b", "a"]'
        case 6:
            return '"""\n' + chance.choice(HOSTILE_TEXTS) + '"""'
        case _:
            return chance.choice(('"00:00-24:00"', '"5m"', '"9999d"', '"0h"', '"21:00-08:00"', '"default"', "{}"))


def mutate_json(data: bytes, chance: Random) -> bytes:
    """Exchange a node of JSON, add one, take one out, name one twice, or quote the whole once more."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return mutate_text(data, chance)
    match chance.randrange(12):
        case 0:
            return _encoded(json.dumps(json.dumps(document)))
        case 1:
            deep = chance.choice((_DEEP, 200, 5000, 100_000))
            return _encoded(_written(document).replace('""', "[" * deep + "]" * deep, 1))
        case 2 if isinstance(document, dict) and document:
            name, value = chance.choice(list(document.items()))
            twice = f"{json.dumps(name)}: {json.dumps(_hostile(chance))}"
            return _encoded(f"{_written({**document, name: value})[:-1]}, {twice}}}")
        case _:
            return _encoded(_written(_changed(document, chance)))


def _changed(node: Any, chance: Random) -> Any:  # noqa: ANN401 - JSON
    """Change one place below a node; inside of texts that are JSON themselves, too."""
    if isinstance(node, dict) and node and chance.randrange(8):
        name = chance.choice(list(node))
        return {**node, name: _changed(node[name], chance)}
    if isinstance(node, list) and node and chance.randrange(8):
        at = chance.randrange(len(node))
        return [*node[:at], _changed(node[at], chance), *node[at + 1 :]]
    if isinstance(node, str) and node[:1] in {"{", "["} and chance.randrange(8):
        try:
            return _written(_changed(json.loads(node), chance))
        except (ValueError, RecursionError):
            return _hostile(chance)
    match chance.randrange(6):
        case 0 if isinstance(node, dict):
            return {**node, chance.choice(("customer_id", "x", "\u202e", "", *HOSTILE_TEXTS)): _hostile(chance)}
        case 1 if isinstance(node, dict) and node:
            gone = chance.choice(list(node))
            return {name: value for name, value in node.items() if name != gone}
        case 2 if isinstance(node, list):
            return [*node, *node, _hostile(chance)]
        case 3 if isinstance(node, str):
            return mutate_text(_encoded(node), chance).decode("utf-8", "replace")
        case 4 if isinstance(node, bool | int | float):
            return chance.choice((str(node), float(node) if abs(node) < 10**300 else 0.5, -node, not node, [node]))
        case _:
            return _hostile(chance)


def _hostile(chance: Random) -> Any:  # noqa: ANN401 - JSON
    match chance.randrange(5):
        case 0 | 1:
            return chance.choice(HOSTILE_TEXTS)
        case 2 | 3:
            return chance.choice(HOSTILE_NUMBERS)
        case _:
            return chance.choice(([], {}, [[]], {"": {}}, [None], ["a", "a"], {"a": [1]}))


def _written(document: object) -> str:
    written = json.dumps(document, ensure_ascii=False)
    return json.dumps(document) if _has_half(written) else written


def mutate_table(data: bytes, chance: Random) -> bytes:
    """Change a file of accounts: a cell, a line, a column, the separator, the quotes, or the encoding."""
    text = data.decode("utf-8", "surrogateescape")
    end = "\r\n" if "\r\n" in text else "\n"
    lines = text.split(end)
    at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    match chance.randrange(10):
        case 0 | 1 | 2 | 3:
            lines[at] = _with_other_cell(lines[at], lines[other], chance)
        case 4:
            lines.insert(at, lines[other])
        case 5:
            del lines[at]
        case 6:
            text = end.join(lines).replace(",", chance.choice((";", "\t", "|", ",,", '","', " ")))
            return _encoded(text)
        case 7:
            lines.insert(at, chance.choice(("總計,,,9999", "", ",,,,", "sep=;", '"', "------", "共 2 筆", "\x00", "a")))
        case 8:
            codec = chance.choice(("utf-16", "cp950", "gb18030", "utf-8-sig", "cp932", "utf-16-le", "utf-32"))
            return end.join(lines).encode("utf-8", "replace").decode("utf-8").encode(codec, "replace")
        case _:
            lines[at] = mutate_text(_encoded(lines[at]), chance).decode("utf-8", "surrogateescape")
    return _encoded(end.join(lines))


def _with_other_cell(line: str, other: str, chance: Random) -> str:
    cells, others = line.split(","), other.split(",")
    at = chance.randrange(len(cells))
    match chance.randrange(4):
        case 0:
            cells[at] = chance.choice(others)
        case 1:
            to = chance.randrange(len(cells))
            cells[at], cells[to] = cells[to], cells[at]
        case 2:
            cells[at] = '"' + chance.choice(HOSTILE_TEXTS).replace('"', '""') + '"'
        case _:
            cells[at] = chance.choice(HOSTILE_TEXTS)
    return ",".join(cells)


def _encoded(text: str) -> bytes:
    """Encode a text; halves of characters become bytes that are none, as a broken program writes them."""
    return text.encode("utf-8", "surrogatepass" if _has_half(text) else "surrogateescape")


def _has_half(text: str) -> bool:
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return True
    return False


def mutated(data: bytes, mutate: Mutator, chance: Random, most_bytes: int = 1 << 20) -> bytes:
    """Change an input once to four times, as long as it does not grow too large."""
    for _ in range(chance.randrange(1, 5)):
        changed = mutate(data, chance)
        if len(changed) <= most_bytes:
            data = changed
    return data

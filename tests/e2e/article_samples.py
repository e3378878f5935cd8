"""The article's samples, read from its own page: fenced blocks, and code within sentences.

``SENDOFF_ARTICLE`` names the page; nothing of it is kept here but digests, by which a sample is told from another.
"""

from __future__ import annotations

import ast
import hashlib
import re
import textwrap
from typing import NamedTuple

_FENCE = re.compile(r"^(?P<lead>[ \t>]*)```(?P<language>[^\n`]*)\n(?P<body>.*?)^(?P=lead)```[ \t]*$", re.M | re.S)
_SPAN = re.compile(r"`([^`\n]+)`")
_COMMAND = re.compile(r"(az|docker|conda|pip) ")


class Sample(NamedTuple):
    """One piece of code on the page."""

    line: int
    language: str
    text: str

    @property
    def key(self) -> str:
        """What tells it from the others, wherever it stands and however far it is indented."""
        lines = "\n".join(line.rstrip() for line in self.text.strip().splitlines())
        return hashlib.sha256(lines.encode()).hexdigest()[:8]

    def __str__(self) -> str:
        return f"line {self.line}, {self.language or 'code in a sentence'} [{self.key}]"


def samples(text: str) -> list[Sample]:
    """Every fenced block, and every span within a sentence that is a command or a call, in reading order."""
    found = {}
    for match in _FENCE.finditer(text):
        lead = match["lead"]
        body = "\n".join(line.removeprefix(lead.rstrip() if ">" in lead else "") for line in match["body"].splitlines())
        found[match.start()] = Sample(_line(text, match), match["language"], textwrap.dedent(body).strip("\n") + "\n")
    sentences = _FENCE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    for match in _SPAN.finditer(sentences):
        if _COMMAND.match(match[1]) or _calls(match[1]):
            found[match.start()] = Sample(_line(text, match), "", match[1])
    return [found[start] for start in sorted(found)]


def corrected(text: str, *changes: tuple[str, str]) -> str:
    """The text with each wrong form put right; every wrong form has to be there, once."""
    for wrong, right in changes:
        assert text.count(wrong) == 1, f"{wrong!r} is {text.count(wrong)} times in:\n{text}"
        text = text.replace(wrong, right)
    return text


def _line(text: str, match: re.Match[str]) -> int:
    return text.count("\n", 0, match.start()) + 1


def _calls(span: str) -> bool:
    """Whether it is a statement that does something: a method's call, or a function's with arguments of the page's."""
    try:
        body = ast.parse(span).body
    except SyntaxError:
        return False
    if len(body) != 1 or not isinstance(body[0], ast.Assign | ast.Expr) or not isinstance(body[0].value, ast.Call):
        return False
    function = body[0].value.func
    return isinstance(function, ast.Attribute) or getattr(function, "id", "") == "print"

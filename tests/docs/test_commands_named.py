"""Every `sendoff …` that a page names is a command, and its flags are flags of it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from sendoff.cli.root import root

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted(p for p in (ROOT / "docs").glob("*.md") if p.name not in {"cli.md", "errors.md"})]
NAMED = re.compile(r"`(sendoff [a-z][^`]*)`|^(?:\$ )?(sendoff [a-z].*)$", re.MULTILINE)


def wrong(line: str) -> str | None:
    """What is wrong with a command's line; None for nothing. Words after a pipe or a semicolon are not looked at."""
    line = re.split(r"\s[|;&]|\|\||…|\.\.\.", line)[0]
    try:
        words = shlex.split(line, comments=True)[1:]
    except ValueError:  # a line that goes on below
        words = line.split()[1:]
    command: click.Command = root
    context = click.Context(root, info_name="sendoff")
    while isinstance(command, click.Group) and words and re.fullmatch(r"[a-z][a-z0-9-]*", words[0]):
        found = command.get_command(context, words[0])
        if found is None:
            return f"{context.command_path} has no command {words[0]!r}"
        command, words = found, words[1:]
        context = click.Context(command, parent=context, info_name=command.name)
    known = {name for param in command.get_params(context) for name in (*param.opts, *param.secondary_opts)}
    for word in words:
        flag = word.split("=")[0]
        if re.fullmatch(r"--[a-z][a-z0-9_-]*|-[a-z]", flag) and flag not in known and flag not in ("-h", "--version"):
            return f"{context.command_path} has no flag {flag}"
    return None


def test_a_wrong_command_is_found() -> None:
    assert wrong("sendoff model fly") == "sendoff model has no command 'fly'"
    assert wrong("sendoff model list --wings") == "sendoff model list has no flag --wings"
    assert wrong("sendoff service run -n x -d '{\"a\": 1}' | head --wings") is None


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_commands_on_the_page_are_there(page: Path) -> None:
    lines = [one or two for one, two in NAMED.findall(page.read_text(encoding="utf-8"))]
    assert [f"{line}: {said}" for line in lines if (said := wrong(line))] == []

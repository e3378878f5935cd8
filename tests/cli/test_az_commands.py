"""Each `az ml` command of spec/surface.md sec. 7 is there with its flags; what Sendoff has not is refused by name.

`az_commands.json` is generated from the page (`az_commands.py`); where the page itself is at hand the two are compared.
"""

from __future__ import annotations

import json
from pathlib import Path

import article
import click
import pytest

from sendoff.cli.root import root

from . import az_commands

HERE = Path(__file__).parent
COMMANDS = json.loads((HERE / "az_commands.json").read_text())
COMMON = {
    "--resource-group",
    "-g",
    "--workspace-name",
    "-w",
    "--subscription-id",
    "--path",
    "--output",
    "-o",
    "--query",
}


def command(words: str) -> click.Command:
    found: click.Command = root
    for word in words.split():
        assert isinstance(found, click.Group)
        below = found.get_command(click.Context(found), word)
        assert below is not None, f"{words}: no {word!r}"
        found = below
    return found


def refused(found: click.Command) -> bool:
    return any(param.name == "given" for param in found.params)


def test_the_generated_file_is_the_pages():
    assert az_commands.commands(article.beside("surface.md")) == COMMANDS


@pytest.mark.parametrize("words", sorted(COMMANDS))
def test_a_command_takes_its_flags(words):
    found = command(words)
    if refused(found):
        return
    known = {name for param in found.params for name in (*param.opts, *param.secondary_opts)}
    asked = {name for group in (*COMMANDS[words]["required"], *COMMANDS[words]["optional"]) for name in group}
    assert asked <= known
    assert known >= COMMON - asked
    # Long options of two or three letters work with one dash too.
    assert {name[1:] for name in asked if name.startswith("--") and len(name) in (4, 5) and name[2:].isalpha()} <= known


@pytest.mark.parametrize("words", sorted(words for words in COMMANDS if refused(command(words))))
def test_what_there_is_not_is_refused_with_what_to_use(cli, words):
    given = [flag for group in COMMANDS[words]["required"] for flag in (group[0], "x")]
    done = cli(*words.split(), *given)
    assert done.code == 6
    assert "is not supported" in done.err
    assert "hint:" in done.err

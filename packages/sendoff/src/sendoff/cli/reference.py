"""docs/cli.md from the commands themselves: ``python -m sendoff.cli.reference > docs/cli.md``."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from .command import Command, Group
from .root import root

_HEAD = """\
# Command line

Written by `python -m sendoff.cli.reference > docs/cli.md`; do not edit.

Data goes to stdout, everything else to stderr. `-o` gives the form of the result: without it a terminal gets a table
and anything else gets JSON. `--query` picks from it with [JMESPath](https://jmespath.org), before it is printed. Exit
codes are in [errors.md](errors.md).

A command works in the workspace of `-w`, else of the nearest `.azureml/config.json` (in `--path` or the current folder,
or above it), else in `default`. Each option with two letters is understood with one dash too: `--ic`, `-ic`. Switches
that take `true|false` mean true when nothing follows.

| environment variable | meaning |
|---|---|
| `SENDOFF_HOME` | Where the store is; `~/.sendoff` |
| `SENDOFF_SERVER`, `SENDOFF_TOKEN` | A server to use in place of the store on this machine |
"""


def commands(
    group: Group | None = None, path: tuple[str, ...] = ("sendoff",)
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with its words, groups before what is in them."""
    group = group or root
    ctx = click.Context(group, info_name=path[-1])
    for name in group.list_commands(ctx):
        found = group.get_command(ctx, name)
        if found is None or found.hidden:
            continue
        yield (*path, name), found
        if isinstance(found, Group):
            yield from commands(found, (*path, name))


def reference() -> str:
    """The whole page."""
    parts = [_HEAD]
    listed = list(commands())
    parts.append("\n| command | |\n|---|---|")
    for words, command in listed:
        if not isinstance(command, Group):
            title = " ".join(words)
            anchor = "-".join(words)
            parts.append(f"| [`{title}`](#{anchor}) | {command.get_short_help_str(120)} |")
    parts.append("\n## Common options\n\nEvery command takes them.\n\n| option | |\n|---|---|")
    some = next(command for words, command in listed if words[-1] == "version")
    parts += _options(some, common=True)
    for words, command in listed:
        if isinstance(command, Group):
            continue
        parts.append(f"\n## {' '.join(words)}\n")
        parts.append(_help(command))
        assert isinstance(command, Command)
        rows = _options(command, common=False)
        if rows:
            parts.append("\n| option | |\n|---|---|")
            parts += rows
        parts.append(f"\n```console\n{command.example.strip()}\n```")
    return "\n".join(parts) + "\n"


def _help(command: click.Command) -> str:
    text = command.help or ""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def _options(command: click.Command, *, common: bool) -> list[str]:
    ctx = click.Context(command, info_name=command.name)
    rows = []
    for param in command.params:
        if (param.name not in getattr(command, "own", ())) is not common:
            continue
        if isinstance(param, click.Argument):
            rows.append(f"| `{param.make_metavar(ctx)}` | Positional. |")
        elif isinstance(param, click.Option) and (record := param.get_help_record(ctx)) is not None:
            rows.append(f"| `{_cell(record[0])}` | {_cell(record[1])} |")
    return rows


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(reference())

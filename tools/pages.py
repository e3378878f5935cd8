"""Pages that are written from the code: ``make docs`` writes ``docs/cli.md`` and ``docs/errors.md``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from sendoff.cli.command import Command, Group
from sendoff.cli.errors import BUG, EXIT_CODES, MEANINGS
from sendoff.cli.root import root
from sendoff.errors import table

DOCS = Path(__file__).resolve().parents[1] / "docs"

_HEAD = """\
# Command line

Written by `make docs`; do not edit.

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


def cli() -> str:
    """docs/cli.md: every command with its options and an example."""
    parts = [_HEAD]
    listed = [(words, command) for words, command in commands() if not getattr(command, "absent", False)]
    absent = [(words, command) for words, command in commands() if getattr(command, "absent", False)]
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
    parts.append(
        "\n## Not here\n\nCommands of `az ml` that only say what to use instead; `--help --all` lists them too."
        "\n\n| command | |\n|---|---|"
    )
    parts += [f"| `{' '.join(words)}` | {_cell(_help(one))} |" for words, one in absent if isinstance(one, Command)]
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


def errors() -> str:
    """docs/errors.md: every error's code, class, meaning and exit code."""
    out = [
        "# Errors and exit codes",
        "",
        "Written by `make docs`; do not edit.",
        "",
        "Every error has a stable code, a sentence, a hint and context. The HTTP API answers it as",
        '`{"error": {"code", "message", "hint", "context"}}`; the SDK raises the class; the command line prints the',
        "sentence and the hint on stderr and ends with the exit code.",
        "",
        "## Exit codes",
        "",
        "| exit code | meaning | error codes |",
        "|---|---|---|",
    ]
    for code, meaning in MEANINGS.items():
        names = ", ".join(f"`{name}`" for name, value in EXIT_CODES.items() if value == code)
        out.append(f"| {code} | {meaning.replace('|', chr(92) + '|')} | {names} |")
    out += ["", "## Error codes", "", "| code | class | what it says | exit code |", "|---|---|---|---|"]
    for name, cls in sorted(table().items()):
        summary = " ".join((cls.__doc__ or "").split("\n\n")[0].split())
        out.append(f"| `{name}` | `{cls.__name__}` | {summary} | {EXIT_CODES.get(name, BUG)} |")
    return "\n".join(out) + "\n"


def main() -> None:
    """Write the pages."""
    for name, text in (("cli.md", cli()), ("errors.md", errors())):
        (DOCS / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

"""``sendoff migrate``: what of a folder of SDK v1 code runs here."""

from __future__ import annotations

from typing import Any

import click

from .. import records
from ..command import Group, option
from ..records import Record
from ..session import Session

_MARKS = {"runs": "ok", "mapped": "mapped", "unsupported": "NOT SUPPORTED"}


@click.group(cls=Group)
def migrate() -> None:
    """Say what of a folder of SDK v1 code runs here."""


@migrate.command("check", form="text", example="sendoff migrate check .\nsendoff migrate check . -o json > report.json")
@click.argument("folder", type=click.Path(), default=".")
@option("--all", "-a", "everything", is_flag=True, help="Show what runs as it is, too.")
def check(session: Session, folder: str, everything: bool) -> Record | None:
    """Say, line by line, what of a folder's scripts, notebooks and configuration files runs here.

    Nothing is imported and nothing is run. Each use of SDK v1 or of `az ml` runs as it is, is mapped (it runs and means
    something else, which is said), or is not supported (and what to use instead is said). Ends with exit code 6
    when anything is not supported. `-o json` is for programs.
    """
    from ...migrate import UNSUPPORTED
    from ...migrate import check as look

    report = look(folder, _commands(), session.say)
    session.exit_code = 6 if report.verdict == UNSUPPORTED else 0
    if session.output not in (None, "text") or session.query:
        return _record(report)
    for file in report.files:
        shown = [one for one in file.findings if everything or one.verdict != "runs"]
        click.echo(f"{file.path} ({file.kind}): {_summary(file.findings)}")
        if file.problem:
            click.echo(f"  could not be read whole: {file.problem}")
        for one in shown:
            where = f"cell {one.cell}, line {one.line}" if one.cell is not None else f"line {one.line}"
            message = f" - {one.message}" if one.message else ""
            click.echo(f"  {where}: {_MARKS[one.verdict]}: {one.what}{message}")
    counts = report.counts
    click.echo(
        f"{len(report.files)} of {report.looked_into} files use SDK v1: {counts['runs']} uses run as they are, "
        f"{counts['mapped']} are mapped, {counts['unsupported']} are not supported."
    )
    return None


def _summary(findings: list[Any]) -> str:
    counts = {mark: sum(one.verdict == verdict for one in findings) for verdict, mark in _MARKS.items()}
    return ", ".join(f"{count} {mark}" for mark, count in counts.items() if count) or "nothing found"


def _record(report: Any) -> Record:
    record: Record = records.plain(report)
    record["counts"] = report.counts
    record["verdict"] = report.verdict
    for file, view in zip(record["files"], report.files, strict=True):
        file["verdict"] = view.verdict
    return record


def _commands() -> dict[str, Any]:
    """The command line's own commands, as the check wants to know them."""
    from ...migrate.commands import CommandFacts
    from ..root import root

    found: dict[str, CommandFacts] = {}

    def walk(group: click.Group, words: list[str]) -> None:
        for name in group.list_commands(click.Context(group)):
            one = group.get_command(click.Context(group), name)
            if isinstance(one, click.Group):
                walk(one, [*words, name])
            elif one is not None:
                refused = any(param.name == "given" for param in one.params)
                flags = [flag for param in one.params for flag in (*param.opts, *param.secondary_opts)]
                instead = (one.help or "").partition("not here. ")[2] if refused else ""
                found[" ".join([*words, name])] = CommandFacts(
                    flags=[*flags, "-h", "--help"], refused=refused, instead=instead
                )

    walk(root, [])
    return found

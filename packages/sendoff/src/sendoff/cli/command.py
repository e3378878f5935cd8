"""Commands and groups: common options on every command, examples, nearest names, loading when used."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click

from ..spec.parse import did_you_mean
from . import output, records
from .session import Session


class Option(click.Option):
    """An option whose two-letter names work with one dash too: ``--ic`` is ``-ic`` (spec/surface.md sec. 7)."""

    def __init__(self, declarations: Sequence[str] | None = None, **attributes: Any) -> None:
        declarations = list(declarations or ())
        self.shown = [name for name in declarations if name.startswith("-")]
        single = [
            name[1:] for name in self.shown if name.startswith("--") and len(name) in (4, 5) and name[2:].isalpha()
        ]
        names = [name for name in declarations if not name.startswith("-")]
        if not names:
            # click takes the longest name; a two-letter alias must never become the parameter's name.
            names = [max(self.shown, key=len).lstrip("-").replace("-", "_").lower()]
        super().__init__([*names, *self.shown, *single], **attributes)

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        record = super().get_help_record(ctx)
        if record is None:
            return None
        short = [name for name in self.shown if not name.startswith("--")]
        long = [name for name in self.shown if name.startswith("--")]
        # The descriptive name first among the long ones, aliases after it.
        ordered = ", ".join([*short, *sorted(long, key=len, reverse=True)])
        value = "" if self.is_flag or self.count else f" {self.make_metavar(ctx)}"
        if self._optional_value:
            value = f" [{self.make_metavar(ctx)}]"
        return ordered + value, record[1]

    @property
    def _optional_value(self) -> bool:
        return not self.is_flag and bool(getattr(self, "_flag_needs_value", False))


Decorator = Callable[[Any], Any]


def option(*declarations: str, **attributes: Any) -> Decorator:
    """``click.option`` with our :class:`Option`."""
    return click.option(*declarations, cls=Option, **attributes)


def together(*options: Decorator) -> Decorator:
    """Several options as one, in the order in which help shows them."""

    def decorate(function: Any) -> Any:
        for one in reversed(options):
            function = one(function)
        return function

    return decorate


def remember(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """What keeps the value of an option in the session's field of its name, if it was given."""
    source = ctx.get_parameter_source(param.name or "")
    if value is not None and source is not click.core.ParameterSource.DEFAULT:
        setattr(ctx.ensure_object(Session), param.name or "", value)


def _common(*declarations: str, **attributes: Any) -> Option:
    return Option(declarations, expose_value=False, callback=remember, **attributes)


_HELP_COMMON = "sendoff.help-common"
"""Key in a context's meta: the common options are shown in its help."""


def _help_common(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        ctx.meta[_HELP_COMMON] = True
        click.echo(ctx.get_help())
        ctx.exit()


def common_options() -> list[Option]:
    """The options that every command takes, new objects each time because click lets none be shared."""
    return [
        _common("output", "--output", "-o", type=click.Choice(output.FORMATS), default=None,
                help="Form of the result. A terminal gets a table, anything else JSON."),
        _common("query", "--query", metavar="JMESPATH", default=None,
                help="Pick from the result before it is printed."),
        _common("workspace_name", "--workspace-name", "-w", metavar="NAME", default=None,
                help="Workspace. Else the one in the nearest .azureml/config.json, else 'default'."),
        _common("resource_group", "--resource-group", "-g", metavar="NAME", default=None,
                help="Kept with a workspace and shown; nothing depends on it."),
        _common("subscription_id", "--subscription-id", "--subscription", metavar="ID", default=None,
                help="Kept with a workspace and shown; nothing depends on it."),
        _common("path", "--path", metavar="DIR", default=None,
                help="Folder where the search for the workspace's config file starts."),
        _common("quiet", "--only-show-errors", is_flag=True, default=False, help="No messages but errors."),
        _common("verbose", "-v", "--verbose", is_flag=True, default=False,
                help="Say too what asks nobody for an act, as where it runs and why."),
        _common("debug", "--debug", is_flag=True, default=False, help="Show our own traceback with an error."),
        Option(["help_common", "--help-common"], is_flag=True, is_eager=True, expose_value=False,
               callback=_help_common, help="Show the help with the options that every command takes."),
    ]  # fmt: skip


class Command(click.Command):
    """A command whose function is given the :class:`Session` first and returns its result: JSON values, or views.

    The result's records are printed as ``-o`` and ``--query`` say, and written to the file of ``-t``.

    Args:
        example: Command lines that show its use, one a line.
        columns: What a table shows of the result.
        common: False leaves the common options away, for a command that hands its arguments on.
        absent: It only says that it is not here, and what to use instead: help names it when all is asked for.
        form: Form of the result where ``-o`` is not given; None for a table on a terminal and JSON elsewhere.
    """

    def __init__(
        self,
        *args: Any,
        example: str = "",
        columns: output.Columns | None = None,
        form: str | None = None,
        common: bool = True,
        absent: bool = False,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("context_settings", {})
        kwargs["context_settings"] = {
            "help_option_names": ["-h", "--help"],
            "max_content_width": 110,
            **kwargs["context_settings"],
        }
        super().__init__(*args, **kwargs)
        self.absent = absent
        self.example = example
        self.columns = columns
        self.form = form
        self.own = [param.name for param in self.params]
        if common:
            self.params += without_taken(common_options(), self.params)

    def invoke(self, ctx: click.Context) -> Any:
        assert self.callback is not None
        session = ctx.ensure_object(Session)
        result = records.shown(ctx.invoke(self.callback, session, **ctx.params))
        metadata = result if session.metadata is None else session.metadata
        if session.metadata_file is not None and metadata is not None:
            output.write_metadata(session.metadata_file, metadata)
        if result is not None:
            output.emit(result, session.output or self.form, session.query, self.columns)
        return session.exit_code

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        options = [param for param in self.get_params(ctx) if isinstance(param, click.Option)]
        self._section(ctx, formatter, "Options", [param for param in options if param.name in self.own])
        common = [param for param in options if param.name not in self.own]
        if ctx.meta.get(_HELP_COMMON):
            self._section(ctx, formatter, "Common options", common)
        elif len(common) > 1:
            with formatter.section("Common options"):
                formatter.write_text("-o json|table|tsv|yaml, --query, -w WORKSPACE and others: --help-common")

    @staticmethod
    def _section(
        ctx: click.Context, formatter: click.HelpFormatter, title: str, options: Sequence[click.Option]
    ) -> None:
        records = [record for param in options if (record := param.get_help_record(ctx)) is not None]
        if records:
            with formatter.section(title):
                formatter.write_dl(records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.example:
            with formatter.section("Example"):
                for line in self.example.strip().splitlines():
                    formatter.write(f"{'':>{formatter.current_indent}}{line}\n")


def without_taken(options: Iterable[Option], params: Iterable[click.Parameter]) -> list[Option]:
    """Common options, less the names that a command's own options have (``environment show -v`` is its version)."""
    taken = {name for param in params for name in (*param.opts, *param.secondary_opts)}
    names = {param.name for param in params}
    left = []
    for candidate in options:
        candidate.opts = [name for name in candidate.opts if name not in taken]
        candidate.shown = [name for name in candidate.shown if name not in taken]
        if candidate.opts and candidate.name not in names:
            left.append(candidate)
    return left


_ALL = "sendoff.all"
"""Key in a context's meta: help names also the commands that are not here."""
NOT_HERE = "not here"


def _there_are(known: Sequence[str]) -> str:
    return f"There are: {', '.join(known)}."


class Group(click.Group):
    """A group of commands.

    ``lazy`` has ``module:attribute`` (below ``commands``) and the summary of those that are loaded when used; ``short``
    has words that people try, and what they mean.
    """

    command_class = Command
    group_class = type

    def __init__(
        self,
        *args: Any,
        lazy: dict[str, tuple[str, str]] | None = None,
        short: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("context_settings", {"help_option_names": ["-h", "--help"], "max_content_width": 110})
        self.short = short or {}
        super().__init__(*args, **kwargs)
        self.lazy = lazy or {}
        hidden = without_taken(common_options(), self.params)
        for candidate in hidden:
            candidate.hidden = True
        self.params += hidden

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        # A command below may have an --all of its own: here it is ours only where no command follows.
        if "--all" in args and all(arg.startswith("-") for arg in args):
            ctx.meta[_ALL] = True
            args = [*(arg for arg in args if arg not in ("--all", "--help", "-h")), "--help"]
        return super().parse_args(ctx, args)

    @property
    def absent(self) -> bool:
        """Whether nothing below it is here."""
        found = list(self.commands.values())
        return bool(found) and not self.lazy and all(getattr(one, "absent", False) for one in found)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*self.commands, *self.lazy})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in self.lazy and cmd_name not in self.commands:
            module, attribute = self.lazy[cmd_name][0].split(":")
            self.commands[cmd_name] = getattr(importlib.import_module(f".commands.{module}", __package__), attribute)
        return self.commands.get(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            if ctx.resilient_parsing:  # a shell completes what is being typed
                return None, None, args
            known = self.list_commands(ctx)
            meant = self.short.get(name)
            advice = (
                f"It is: {ctx.find_root().command_path} {meant}"
                if meant
                else did_you_mean(name, known, _there_are(known))
            )
            raise click.UsageError(f"{ctx.command_path} has no command {name!r}. {advice}", ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows: list[tuple[str, str]] = []
        absent: list[tuple[str, str]] = []
        for name in self.list_commands(ctx):
            if name in self.lazy:
                title = self.lazy[name][1]
                (absent if NOT_HERE in title else rows).append((name, title))
            elif (found := self.get_command(ctx, name)) is not None and not found.hidden:
                (absent if getattr(found, "absent", False) else rows).append((name, found.get_short_help_str(100)))
        if ctx.meta.get(_ALL) or not rows:
            rows, absent = sorted(rows + absent), []
        with formatter.section("Commands"):
            formatter.write_dl(rows)
        if absent:
            words = f"{len(absent)} of `az ml` {'is' if len(absent) == 1 else 'are'} not here; --all shows them too."
            formatter.write_paragraph()
            formatter.write_text(words)

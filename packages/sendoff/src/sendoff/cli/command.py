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
                help="Taken for scripts' sake; progress is always shown."),
        _common("debug", "--debug", is_flag=True, default=False, help="Show our own traceback with an error."),
    ]  # fmt: skip


class Command(click.Command):
    """A command whose function is given the :class:`Session` first and returns its result: JSON values, or views.

    The result's records are printed as ``-o`` and ``--query`` say, and written to the file of ``-t``.

    Args:
        example: Command lines that show its use, one a line.
        columns: What a table shows of the result.
        common: False leaves the common options away, for a command that hands its arguments on.
        form: Form of the result where ``-o`` is not given; None for a table on a terminal and JSON elsewhere.
    """

    def __init__(
        self,
        *args: Any,
        example: str = "",
        columns: output.Columns | None = None,
        form: str | None = None,
        common: bool = True,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("context_settings", {})
        kwargs["context_settings"] = {
            "help_option_names": ["-h", "--help"],
            "max_content_width": 110,
            **kwargs["context_settings"],
        }
        super().__init__(*args, **kwargs)
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
        own = [param for param in options if param.name in self.own]
        common = [param for param in options if param.name not in self.own]
        for title, group in (("Options", own), ("Common options", common)):
            records = [record for param in group if (record := param.get_help_record(ctx)) is not None]
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


class Group(click.Group):
    """A group of commands.

    ``lazy`` has ``module:attribute`` (below ``commands``) and the summary of those that are loaded when used.
    """

    command_class = Command
    group_class = type

    def __init__(self, *args: Any, lazy: dict[str, tuple[str, str]] | None = None, **kwargs: Any) -> None:
        kwargs.setdefault("context_settings", {"help_option_names": ["-h", "--help"], "max_content_width": 110})
        super().__init__(*args, **kwargs)
        self.lazy = lazy or {}
        hidden = without_taken(common_options(), self.params)
        for candidate in hidden:
            candidate.hidden = True
        self.params += hidden

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
            known = self.list_commands(ctx)
            advice = did_you_mean(name, known, f"There are: {', '.join(known)}.")
            raise click.UsageError(f"{ctx.command_path} has no command {name!r}. {advice}", ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = []
        for name in self.list_commands(ctx):
            if name in self.lazy:
                rows.append((name, self.lazy[name][1]))
            elif (found := self.get_command(ctx, name)) is not None and not found.hidden:
                rows.append((name, found.get_short_help_str(100)))
        with formatter.section("Commands"):
            formatter.write_dl(rows)

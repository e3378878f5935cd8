"""Errors at the command line: one table from an error's code to an exit code, and how an error is printed."""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING, Any

from .. import errors
from ..errors import SendoffError, lacking
from ..spec.names import service_flags
from .terminal import visible

if TYPE_CHECKING:
    import click

OK, BUG, USAGE = 0, 1, 2
NOT_READY = 14
INTERRUPTED = 130
BROKEN_PIPE = 141

EXIT_CODES: dict[str, int] = {
    "internal_error": BUG,
    **errors.by_code(
        {
            errors.InvalidInput: USAGE,
            errors.NotFound: 3,
            errors.AlreadyExists: 4,
            errors.Conflict: 4,
            errors.Unauthorized: 5,
            errors.NotSupported: 6,
            errors.MissingExtra: 6,
            errors.StoreError: 7,
            errors.CorruptBlob: 7,
            errors.EnvironmentFailed: 8,
            errors.DeploymentFailed: 9,
            errors.TargetUnavailable: 10,
            errors.Unreachable: 10,
            errors.ScoringFailed: 11,
            errors.Timeout: 12,
            errors.Cancelled: 13,
        }
    ),
}

MEANINGS: dict[int, str] = {
    OK: "The command did what was asked.",
    BUG: "Something unexpected went wrong inside Sendoff. `--debug` shows our traceback; please report it.",
    USAGE: "A flag, file, key, name or value is wrong. Nothing was changed.",
    3: "The named thing does not exist.",
    4: "It does not fit the present state: the name or port is taken, an operation is running, the object is in use.",
    5: "No token, or a wrong one.",
    6: "This target, version or installation cannot do it; the hint names what can.",
    7: "The store cannot be read or written.",
    8: "The environment could not be resolved or built.",
    9: "The deployment failed. The traceback of the script, with file and line, is printed.",
    10: "The target's engine, the server or the service does not answer.",
    11: "The service answered a scoring request with an error.",
    12: "Waiting took longer than allowed; the work goes on.",
    13: "The operation was cancelled.",
    NOT_READY: "`sendoff doctor` found something that keeps Sendoff from working on this machine.",
    INTERRUPTED: "Interrupted with Ctrl-C. An operation that had started goes on.",
    BROKEN_PIPE: "The reader of the output went away (`sendoff … | head`).",
}


def exit_code(error: SendoffError) -> int:
    """The exit code of an error; a code that a newer server sent and this version does not know gives 1."""
    return EXIT_CODES.get(error.code, BUG)


def tell(text: str) -> None:
    """Print one message on stderr; a closed stderr is no reason to fail."""
    try:
        print(visible(text), file=sys.stderr, flush=True)  # noqa: T201  # this is the terminal's own room
    except (OSError, ValueError):
        pass


def report(error: SendoffError, *, debug: bool = False) -> int:
    """Print an error for a person and give its exit code: sentence, the script's traceback, hint, what to type next."""
    if debug:
        tell("".join(traceback.format_exception(error)).rstrip())
    context = error.context
    trace = str(context.get("traceback") or "").rstrip()
    lines = [f"error: {error.message}"]
    if trace and trace not in error.message:
        lines += ["", trace, ""]
    elif context.get("log"):
        lines += ["", *(f"  {line}" for line in _log(context["log"])), ""]
    place = f"{context.get('file')}, line {context.get('line')}" if context.get("file") and context.get("line") else ""
    if place and place not in error.message and f'File "{context["file"]}", line {context["line"]}' not in trace:
        lines.append(f"  at {place}")
    hint = str(context.get("typed") or error.hint)
    if exit_code(error) == BUG and not debug:
        hint = "This is a defect of Sendoff: run the same command with --debug for the traceback, and report it."
    if hint:
        lines.append(f"hint: {hint}")
    lines += [f"next: {command}" for command in next_commands(error)]
    tell("\n".join(lines))
    return exit_code(error)


def next_commands(error: SendoffError) -> list[str]:
    """What helps after a failed deployment, a command to be typed first; nothing for other errors."""
    context = error.context
    service = context.get("service")
    if not service or error.code not in ("deployment_failed", "script_failed", "environment_failed"):
        return []
    commands = [f"sendoff service get-logs {service_flags(str(service), context.get('workspace'))}"]
    if context.get("operation_type") == "Deploy":
        commands.append("mend it and repeat the deploy with --overwrite")
    return commands


def report_usage(wrong: click.ClickException) -> int:
    """Print a wrong command line (unknown flag, missing value) with the nearest known name; exit code 2."""
    ctx = getattr(wrong, "ctx", None)
    tell(f"error: {wrong.format_message()}")
    if ctx is not None:
        tell(f"hint: {ctx.command_path} --help shows what it takes.")
    return USAGE


def report_bug(bug: Exception, *, debug: bool) -> int:
    """Print an exception that nobody foresaw; exit code 1."""
    missing = lacking(bug)
    if missing:
        return report(missing, debug=debug)
    if debug:
        tell("".join(traceback.format_exception(bug)).rstrip())
    tell(f"error: something unexpected went wrong inside Sendoff: {type(bug).__name__}: {bug}")
    if not debug:
        tell("hint: run the same command with --debug for the traceback, and report it.")
    return BUG


def _log(log: Any) -> list[str]:
    lines = log.splitlines() if isinstance(log, str) else [str(line) for line in log]
    return lines[-20:]

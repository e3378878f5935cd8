"""``sendoff serve``: the scoring server alone, with no control plane."""

from __future__ import annotations

import click

from ...errors import MissingExtra
from ..command import Command
from ..errors import EXIT_CODES, USAGE
from ..session import Session

# The scoring server has the exit codes of the server it replaces; here they mean what they mean everywhere.
_CODES = {1: USAGE, 3: EXIT_CODES["script_failed"]}

_EXAMPLE = """\
sendoff serve score.py --model-dir model --port 5001
sendoff serve score.py -- --help"""


@click.command(
    cls=Command,
    example=_EXAMPLE,
    common=False,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("script", type=click.Path())
@click.argument("arguments", metavar="[OPTIONS OF THE SCORING SERVER]", nargs=-1, type=click.UNPROCESSED)
def serve(_: Session, script: str, arguments: tuple[str, ...]) -> None:
    """Serve an entry script in the foreground, with no store and no registration.

    SCRIPT has init() and run(). What follows it goes to the scoring server as it is: --model-dir DIR, --port N,
    --python INTERPRETER, --workers N and the others of docs/scoring-server.md. The exit code is 9 when the script
    cannot be loaded.
    """
    try:
        from sendoff_serving.__main__ import main
    except ImportError as error:
        raise MissingExtra(
            f"the scoring server is not installed: {error}", hint="pip install sendoff-serving"
        ) from None
    rest = [argument for index, argument in enumerate(arguments) if (index, argument) != (0, "--")]
    code = main(["--entry-script", script, *rest])
    if code:
        raise click.exceptions.Exit(_CODES.get(code, code))

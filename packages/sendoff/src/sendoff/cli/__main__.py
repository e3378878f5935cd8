"""Entry of the ``sendoff`` command: :func:`main` exits with the code that :func:`run` gives; tests call ``run``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path


def run(argv: Sequence[str]) -> int:
    """Run one command line inside this process.

    Args:
        argv: What follows ``sendoff``, for example ``["model", "list", "-o", "json"]``.

    Returns:
        The exit code, as docs/errors.md lists them. Data has gone to stdout, everything else to stderr.
    """
    import click

    from ..errors import SendoffError
    from . import errors
    from .root import root
    from .session import Session

    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started us: `sendoff … >&-`
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115  # it has to stay open
    session = Session()
    try:
        if "_SENDOFF_COMPLETE" in os.environ:
            return _complete(argv)
        # Not root.main(): it turns a broken pipe and Ctrl-C into exit code 1.
        with root.make_context("sendoff", list(argv), obj=session) as ctx:
            code = root.invoke(ctx)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except BrokenPipeError:
        return _closed()
    except click.exceptions.Exit as end:
        return end.exit_code
    except (click.Abort, KeyboardInterrupt):
        errors.tell("Interrupted.")
        return errors.INTERRUPTED
    except click.ClickException as wrong:
        return errors.report_usage(wrong)
    except SendoffError as error:
        from .hints import in_workspace

        error.hint = in_workspace(error.hint, session.workspace_name)
        return errors.report(error, debug=session.debug)
    except Exception as bug:
        return errors.report_bug(bug, debug=session.debug)


def _complete(argv: Sequence[str]) -> int:
    """What a shell asks for at each TAB: nothing is ever printed into the prompt, where nothing can be completed."""
    from contextlib import redirect_stderr, suppress
    from io import StringIO

    from .root import root

    with redirect_stderr(StringIO()), suppress(Exception):
        root.main(args=list(argv), prog_name="sendoff")
    return 0


def main() -> None:
    """The console script: run ``sys.argv`` and exit with its code."""
    try:
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        code = _closed()
    except KeyboardInterrupt:  # before run() could say anything: while it was still importing
        code = 130
    sys.exit(code)


def _closed() -> int:
    """The reader of our output has gone (``sendoff model list | head -1``): end without a word, as Unix tools do."""
    from . import errors

    # Python flushes stdout once more at exit, which would print a second complaint.
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # stdout is not a file here (a test's buffer), or is closed already
        pass
    return errors.BROKEN_PIPE


if __name__ == "__main__":
    main()

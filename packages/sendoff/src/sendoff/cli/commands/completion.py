"""``sendoff completion``: the script that a shell reads for completing commands, flags and their choices."""

from __future__ import annotations

import sys

import click
from click.shell_completion import get_completion_class

from ..command import Command
from ..session import Session

_EXAMPLE = """\
sendoff completion bash > ~/.local/share/bash-completion/completions/sendoff
sendoff completion zsh > "${fpath[1]}/_sendoff"
sendoff completion fish > ~/.config/fish/completions/sendoff.fish"""


@click.command(cls=Command, example=_EXAMPLE)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(_: Session, shell: str) -> None:
    """Print the completion script of a shell.

    SHELL is bash (4.4 or newer), zsh or fish.
    """
    from ..root import root

    maker = get_completion_class(shell)
    if maker is None:  # all three are click's own
        raise click.UsageError(f"no completion for {shell}")
    sys.stdout.write(maker(root, {}, "sendoff", "_SENDOFF_COMPLETE").source() + "\n")

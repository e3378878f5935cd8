"""``sendoff service get-keys``, ``regen-key`` and ``get-access-token``: no target of this version asks for keys yet."""

from __future__ import annotations

import click

from ..errors import NotSupported
from ..spec.service import Service
from . import options
from .command import Command, option, pass_session
from .session import Session


def _refuse(view: Service, what: str) -> NotSupported:
    if view.auth_enabled or view.token_auth_enabled:
        return NotSupported(
            f"service {view.name!r} on target {view.target!r} has authentication, but {what} cannot be read yet",
            hint="Give your own keys when deploying: --kp KEY --ks KEY.",
        )
    return NotSupported(
        f"service {view.name!r} has no {what}: it answers every request that reaches {view.scoring_uri or 'it'}",
        hint="Authentication at a service's address is not there yet; it listens on this machine alone.",
    )


@click.command("get-keys", cls=Command, example="sendoff service get-keys -n diabetes --query primaryKey -o tsv")
@options.name("Its name.")
@pass_session
def get_keys(session: Session, name: str) -> None:
    """Show both keys of a service: not there yet."""
    raise _refuse(session.client.service(session.workspace, name), "keys")


@click.command("regen-key", cls=Command, example="sendoff service regen-key -n diabetes -k Primary")
@options.name("Its name.")
@option(
    "--key", "-k", required=True, type=click.Choice(["Primary", "Secondary"], case_sensitive=False), help="Which one."
)
@option("--set-key", "-s", default=None, metavar="KEY", help="The new key; else one is made.")
@pass_session
def regen_key(session: Session, name: str, key: str, set_key: str | None) -> None:
    """Replace one of a service's keys: not there yet."""
    raise _refuse(session.client.service(session.workspace, name), "keys")


@click.command(
    "get-access-token", cls=Command, example="sendoff service get-access-token -n diabetes --query accessToken"
)
@options.name("Its name.")
@pass_session
def get_access_token(session: Session, name: str) -> None:
    """Get a token for a service that asks for one: not there yet."""
    raise _refuse(session.client.service(session.workspace, name), "access token")

"""``sendoff service get-keys``, ``regen-key`` and ``get-access-token``."""

from __future__ import annotations

import click

from ...spec.identity import AccessToken, ServiceKeys
from .. import options
from ..command import Command, option
from ..session import Session


@click.command("get-keys", cls=Command, example="sendoff service get-keys -n diabetes --query primaryKey -o tsv")
@options.name("Its name.")
def get_keys(session: Session, name: str) -> ServiceKeys:
    """Show both keys of a service; either opens it.

    A client sends one as the header `Authorization: Bearer KEY`. A service without keys gets some with
    `sendoff service update -n NAME --ae true`.
    """
    return session.client.service_keys(session.workspace, name)


@click.command("regen-key", cls=Command, example="sendoff service regen-key -n diabetes -k Primary")
@options.name("Its name.")
@option(
    "--key", "-k", required=True, type=click.Choice(["Primary", "Secondary"], case_sensitive=False), help="Which one."
)
@option("--set-key", "-s", default=None, metavar="KEY", help="The new key; else one is made.")
def regen_key(session: Session, name: str, key: str, set_key: str | None) -> ServiceKeys:
    """Replace one of a service's keys and show both.

    The other one stays good all the time, so that clients can be moved to it first. The old one is refused
    within a second; nothing is restarted and no request fails.
    """
    found = session.client.regenerate_key(session.workspace, name, key, set_key)
    session.say(f"Replaced the {key.lower()} key of {name!r}.")
    return found


@click.command(
    "get-access-token", cls=Command, example="sendoff service get-access-token -n diabetes --query accessToken -o tsv"
)
@options.name("Its name.")
def get_access_token(session: Session, name: str) -> AccessToken:
    """Get a token for a service that asks for one.

    It is good for an hour; `refreshAfter` (Unix seconds) says when to get the next. A client sends it as the header
    `Authorization: Bearer TOKEN`. Tokens are turned on with `sendoff service update -n NAME --token-auth-enabled true`.
    """
    from ...client.service_link import user

    return session.client.service_token(session.workspace, name, user())

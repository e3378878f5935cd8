"""``sendoff service``: look at services, call them, end them. Updating is in ``update``, keys are in ``keys``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from .. import options, output, progress, records
from ..command import Group, option
from ..session import Session
from ..terminal import visible

if TYPE_CHECKING:
    from ...spec.operation import Operation
    from ...spec.service import Revision, Service

_LAZY = {
    "data": ("data:data", "List, read, export, copy and delete what a service has collected."),
    "get-access-token": ("keys:get_access_token", "Get a token for a service that asks for one."),
    "get-keys": ("keys:get_keys", "Show both keys of a service."),
    "install": ("install:install", "Write a systemd unit that starts services at boot."),
    "metrics": ("metrics:metrics", "Show rates, latencies, errors, queue and workers of a service."),
    "regen-key": ("keys:regen_key", "Replace one of a service's keys."),
    "top": ("top:top", "Watch services live."),
    "update": ("update:update", "Change a service without dropping a request."),
}


_name = options.name("Its name.")


@click.group(cls=Group, lazy=_LAZY)
def service() -> None:
    """Look at services, call, update and delete them."""


@service.command("list", columns=records.SERVICES, example='sendoff service list --query "[].scoringUri" -o tsv')
@option("--compute-type", "-c", default=None, metavar="TYPE", help="Only local, aci or aks ones.")
@option("--image-digest", default=None, metavar="DIGEST", help="Taken for scripts' sake; services have no image.")
@option("--model-id", default=None, metavar="NAME:VERSION", help="Only those that use this model version.")
@option("--model-name", default=None, metavar="NAME", help="Only those that use some version of this model.")
@options.filtering
def list_(
    session: Session,
    compute_type: str | None,
    image_digest: str | None,
    tags: tuple[str, ...],
    properties: tuple[str, ...],
    **which: Any,
) -> list[Service]:
    """List services with their state of this moment."""
    found = session.client.services(
        session.workspace,
        compute_type=compute_type.upper() if compute_type else None,
        tags=options.filters(tags),
        properties=options.filters(properties),
        **which,
    )
    return [] if image_digest else found


@service.command("show", columns=records.SERVICE, example="sendoff service show -n diabetes --query scoringUri -o tsv")
@_name
def show(session: Session, name: str) -> Service:
    """Show a service with its state of this moment."""
    return session.client.service(session.workspace, name)


@service.command("run", form="json", example="sendoff service run -n diabetes -d @request.json")
@_name
@option("--input-data", "-d", required=True, metavar="JSON|@FILE|-", help="Request: the text itself, a file, or stdin.")
@option("--key", default=None, metavar="KEY", help="Key or token to send instead of your own.")
@option("--timeout", type=float, default=120.0, show_default=True, metavar="SECONDS", help="How long to wait.")
def run(session: Session, name: str, input_data: str, key: str | None, timeout: float) -> None:
    """Send one request to a service, with the key or token it asks for, and print its answer as JSON.

    An answer that is itself a text of JSON is printed as it is sent, as `az ml` did.
    """
    from ..scoring import score

    body = request_body(input_data)
    view = session.client.service(session.workspace, name)
    answer = score(session.client, view, body, key=key, timeout=timeout)
    output.emit(answer, session.output or "json", session.query)


def request_body(text: str) -> bytes:
    """The bytes of ``-d``: the text itself, ``@FILE``, or ``-`` for stdin.

    Raises:
        InvalidInput: The file cannot be read.
    """
    from pathlib import Path

    from ...errors import InvalidInput

    if text == "-":
        return sys.stdin.buffer.read()
    if not text.startswith("@"):
        return text.encode()
    try:
        return Path(text[1:]).read_bytes()
    except OSError as error:
        raise InvalidInput(
            f"-d {text}: {text[1:]} cannot be read: {error.strerror}", hint=f"Looked in {Path.cwd()}.", where=text[1:]
        ) from None


@service.command("get-logs", example="sendoff service get-logs -n diabetes -l 100")
@_name
@option("--num_lines", "--num-lines", "-l", "num_lines", type=click.IntRange(min=1), default=5000, show_default=True,
        help="How many of the newest lines.")  # fmt: skip
@option("--init", "-i", is_flag=True, help="What was written while it started.")
def get_logs(session: Session, name: str, num_lines: int, init: bool) -> None:
    """Print a service's log, also of one that failed to start.

    The text itself goes to stdout; with -o json it is one string.
    """
    text = session.client.logs(session.workspace, name, num_lines, init)
    if session.output in (None, "table", "tsv") and session.query is None:
        text = visible(text)
        sys.stdout.write(text if text.endswith("\n") or not text else text + "\n")
    else:
        output.emit(text, session.output, session.query)


@service.command("delete", example="sendoff service delete -n diabetes")
@_name
@options.no_wait
@options.yes
def delete(session: Session, name: str, no_wait: bool) -> Operation | None:
    """Let a service finish its requests, end it and remove it. Models and environments stay.

    A service that is not there is no error, so that scripts can repeat it.
    """
    operation = session.client.delete_service(session.workspace, name)
    if operation is None:
        session.say(f"There is no service {name!r}: nothing to delete.")
        return None
    if not progress.awaited(session, operation, no_wait):
        return operation
    session.say(f"Deleted service {name!r}.")
    return None


@service.command("revisions", columns=records.REVISIONS, example="sendoff service revisions -n diabetes -o table")
@_name
def revisions(session: Session, name: str) -> list[Revision]:
    """List a service's revisions: what each deploy and update asked for, and how it ended."""
    return session.client.revisions(session.workspace, name)


@service.command("rollback", columns=records.SERVICE, example="sendoff service rollback -n diabetes --revision 2")
@_name
@option("--revision", type=click.IntRange(min=1), default=None, help="Which one; else the newest good one before.")
@options.no_wait
def rollback(session: Session, name: str, revision: int | None, no_wait: bool) -> Operation | Service:
    """Return to an earlier revision without dropping a request."""
    return progress.settled(session, name, session.client.rollback(session.workspace, name, revision), no_wait)


@service.command("reload", columns=records.SERVICE, example="sendoff service reload -n diabetes")
@_name
@options.no_wait
def reload(session: Session, name: str, no_wait: bool) -> Operation | Service:
    """Bring a service to its script's files as they are now, without dropping a request. For developing.

    The workers start anew in any case; changed files make a new revision.
    """
    from ...client import Transfer

    answer = Transfer(session.client, session.say).reload(session.workspace, name)
    return progress.settled(session, name, answer, no_wait)

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


_SHORT = {
    **dict.fromkeys(("call", "invoke", "predict", "score"), "service run"),
    **dict.fromkeys(("log", "logs"), "service get-logs"),
    **dict.fromkeys(("rm", "stop"), "service delete"),
    "keys": "service get-keys",
    "ls": "service list",
    "restart": "service reload",
    "token": "service get-access-token",
}


@click.group(cls=Group, lazy=_LAZY, short=_SHORT)
def service() -> None:
    """Look at services, call, update and delete them."""


@service.command("list", columns=records.SERVICES, example='sendoff service list --query "[].scoringUri" -o tsv')
@option("--compute-type", "-c", default=None, metavar="TYPE", help="Only local, aci, aks or default ones.")
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
    if not (found or image_digest or compute_type or tags or properties or any(which.values())):
        session.nothing_here("sendoff service list", session.client.services)
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
@option("--follow", "-f", is_flag=True, help="Go on with what is written from now on, until Ctrl-C.")
@option(
    "--request",
    default=None,
    metavar="ID",
    help="Only what was written for this request: x-ms-request-id of its answer.",
)
@option("--since", default=None, metavar="TIME",
        help="Only what was written since: 90s, 10m, 2h, 1d ago, or a time in UTC: 2026-11-30T14:05.")  # fmt: skip
def get_logs(
    session: Session, name: str, num_lines: int, init: bool, follow: bool, request: str | None, since: str | None
) -> None:
    """Print a service's log, also of one that failed to start.

    The text itself goes to stdout; with -o json it is one string.
    """
    from ...client import service_log

    earliest = None if since is None else options.moment(since, "--since")

    def chosen(text: str) -> str:
        if earliest is None and request is None:
            return text
        kept = [
            record.text
            for record in service_log.records(text)
            if (request is None or record.is_of(request))
            and (earliest is None or (record.time is not None and record.time >= earliest))
        ]
        return "\n".join(kept)

    text = session.client.logs(session.workspace, name, num_lines, init)
    if session.output not in (None, "table", "tsv") or session.query is not None:
        output.emit(chosen(text), session.output, session.query)
        return
    _write(chosen(text))
    if not follow:
        return
    try:
        for fresh in service_log.follow(session.client, session.workspace, name, text):
            _write(chosen(fresh))
    except KeyboardInterrupt:
        return


def _write(text: str) -> None:
    if text:
        sys.stdout.write(visible(text).removesuffix("\n") + "\n")
        sys.stdout.flush()


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

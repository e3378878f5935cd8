"""What a service's log says: its records, which a message of several lines is one of, by request and by time."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from ..errors import SendoffError
from .calls import Client

# docs/scoring-server.md, "Logs": time, level, pid, logger, request id, message. Lines of a container have the same.
_HEAD = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) [DIWEC] \[\d+\] [\w.-]+ - ")
_RAISED = "Encountered Exception: "
_WRITTEN_SECONDS = 1.0
"""How long the traceback of an answer that was an error is waited for: it is written a moment later."""

_READ_LINES = 2000
_LOST = "[more was written at once than is shown here]"


class Record(NamedTuple):
    """One message of a log: when it was written (Unix seconds; None where it does not say), its text as it stands."""

    time: float | None
    message: str
    text: str
    request_id: str | None = None

    def is_of(self, request_id: str) -> bool:
        """Whether it was written for a request."""
        return self.request_id == request_id or self.message.split(" ", 1)[0] == request_id


def records(text: str) -> list[Record]:
    """The records of a log's text or JSON form, oldest first."""
    found: list[Record] = []
    for line in text.splitlines():
        head = _HEAD.match(line)
        if head is not None:
            when = datetime.strptime(head[1], "%Y-%m-%d %H:%M:%S,%f").replace(tzinfo=UTC).timestamp()
            found.append(Record(when, line[head.end() :], line))
        elif (told := _of_json(line)) is not None:
            found.append(told)
        elif found:
            last = found[-1]
            found[-1] = last._replace(message=f"{last.message}\n{line}", text=f"{last.text}\n{line}")
        else:
            found.append(Record(None, line, line))
    return found


def raised(client: Client, workspace: str, service: str, request_id: str) -> str:
    """What a script raised for a request, from the service's log; empty where it is not to be had."""
    until = time.monotonic() + _WRITTEN_SECONDS
    while True:
        try:
            text = client.logs(workspace, service, 2000)
        except SendoffError:
            return ""  # the answer says what happened, too
        for record in reversed(records(text)):
            if record.is_of(request_id) and _RAISED in record.message:
                trace = record.message.partition(_RAISED)[2].strip()
                try:
                    return client.service_inference(workspace, service).source.in_own_paths(trace)
                except SendoffError:
                    return trace
        if time.monotonic() > until:
            return ""
        time.sleep(0.05)


def follow(client: Client, workspace: str, service: str, first: str) -> Iterator[str]:
    """The text that a log gains, piece by piece, without end.

    Args:
        client: Asks the API.
        workspace: The service's workspace.
        service: Its name.
        first: What was read last.
    """
    seen = first.splitlines()
    while True:
        time.sleep(0.5)
        lines = client.logs(workspace, service, _READ_LINES).splitlines()
        fresh = _behind(lines, seen[-20:])
        if fresh:
            # More came at once than is read at once: whoever follows is not to take what is there for all.
            lost = seen and len(fresh) == len(lines) >= _READ_LINES
            seen = lines
            yield "\n".join([*([_LOST] if lost else []), *fresh])


def _behind(lines: list[str], known: list[str]) -> list[str]:
    """The lines behind the last place where the known ones stand; all where they are gone, or there were none."""
    for end in range(len(lines), len(known) - 1, -1):
        if known and lines[end - len(known) : end] == known:
            return lines[end:]
    return lines


def _of_json(line: str) -> Record | None:
    if not line.startswith("{"):
        return None
    try:
        value = json.loads(line)
        when = datetime.fromisoformat(value["time"]).timestamp()
        return Record(when, str(value["message"]), line, value.get("request_id"))
    except (ValueError, KeyError, TypeError):
        return None

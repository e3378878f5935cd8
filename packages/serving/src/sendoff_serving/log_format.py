"""The forms of a log line: text, JSON, and the existing server's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Literal

Format = Literal["text", "json", "compatible"]

Fields = Mapping[str, object] | None
"""Further members of a JSON line."""
# stamp ("2026-11-22 07:38:34"), milliseconds, level, pid, logger, message, request id, further fields
Formatter = Callable[[str, int, str, int, str, str, "str | None", Fields], str]

_LEVELS = {"D": "DEBUG", "I": "INFO", "W": "WARNING", "E": "ERROR", "C": "CRITICAL"}
# Loggers of the existing server (spec/scoring-server.md sec. 10).
EXISTING_LOGGERS = {
    "sendoff": "azmlinfsrv",
    "sendoff.access": "azmlinfsrv",
    "sendoff.stdout": "azmlinfsrv.print",
    "sendoff.stderr": "azmlinfsrv.print",
    "sendoff.logging": "azmlinfsrv.user_script",
}


def text_line(
    stamp: str, ms: int, level: str, pid: int, logger: str, message: str, request_id: str | None, fields: Fields
) -> str:
    """Return a line for people: time, level, pid, logger, request id, message."""
    request = f"{request_id} " if request_id else ""
    return f"{stamp},{ms:03d} {level} [{pid}] {logger} - {request}{message}\n"


def json_line(
    stamp: str, ms: int, level: str, pid: int, logger: str, message: str, request_id: str | None, fields: Fields
) -> str:
    """Return one JSON object on one line."""
    record: dict[str, object] = {
        "time": f"{stamp.replace(' ', 'T')}.{ms:03d}Z",
        "level": _LEVELS.get(level, level),
        "pid": pid,
        "logger": logger,
        "message": message,
    }
    if request_id:
        record["request_id"] = request_id
    if fields:
        record.update(fields)
    return f"{json.dumps(record)}\n"


def compatible_line(
    stamp: str, ms: int, level: str, pid: int, logger: str, message: str, request_id: str | None, fields: Fields
) -> str:
    """Return a line as the existing server writes it; request ids are not in it."""
    return f"{stamp},{ms:03d} {level} [{pid}] {EXISTING_LOGGERS.get(logger, logger)} - {message}\n"


FORMATTERS: dict[Format, Formatter] = {"text": text_line, "json": json_line, "compatible": compatible_line}

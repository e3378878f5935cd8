"""The log where the existing server's ``logging.json`` says how lines look and where they go."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from . import existing_logging
from .errors import ServingError
from .log import ServerLog, StreamSink
from .log_format import EXISTING_LOGGERS

_NUMBERS = {"D": logging.DEBUG, "I": logging.INFO, "W": logging.WARNING, "E": logging.ERROR, "C": logging.CRITICAL}
# Records that wait for the handlers; beyond it they are dropped, as lines are.
_MOST_WAITING = 100_000


class ConfiguredLog(ServerLog):
    """Hands each event to the logger of its name, in the log's own thread.

    Args:
        path: the file.

    Raises:
        ServingError: it cannot be used.
    """

    raw = True

    def __init__(self, path: Path) -> None:
        try:
            existing_logging.configure(str(path))
        except (OSError, ValueError, AttributeError, TypeError) as error:
            cause = error.__cause__ or error
            hint = "install it beside the server" if isinstance(cause, ImportError) else None
            text = f"Configuration Error: {path} cannot be used: {error}: {cause}"
            raise ServingError("configuration_error", text, hint=hint, exit_code=3) from None
        super().__init__(StreamSink(sys.stdout), "compatible")
        self.info(f"Loaded logging config from {path}")

    def write(
        self,
        level: str,
        logger: str,
        message: str,
        pid: int = 0,
        request_id: str | None = None,
        fields: Mapping[str, object] | None = None,
    ) -> None:
        found = logging.getLogger(EXISTING_LOGGERS.get(logger, logger))
        number = _NUMBERS.get(level, logging.INFO)
        if found.isEnabledFor(number) and self._queue.qsize() < _MOST_WAITING:
            record = found.makeRecord(found.name, number, "", 0, message, (), None)
            record.process = pid or record.process
            self._queue.put(partial(found.handle, record))

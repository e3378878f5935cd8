"""The existing server's ``logging.json``, which replaces the configuration of its loggers and of the script's.

Read by the front and by each worker, so it keeps to Python 3.6 (spec/scoring-server.md sec. 10).
"""

import json
import logging
import time
from typing import Optional

_THEIRS = "azureml_inference_server_http.log_config."
_FORM = "%(asctime)s %(levelname).1s [%(process)d] %(name)s - %(message)s"


class AMLLogFormatter(logging.Formatter):
    """That server's own form of a line, in UTC; files name it by its place in that server's package."""

    converter = time.gmtime  # type: ignore[assignment]

    def __init__(self, fmt: str = _FORM, datefmt: Optional[str] = None, style: str = "%") -> None:
        logging.Formatter.__init__(self, fmt, datefmt, style)  # type: ignore[arg-type]


class RootAccessFilter(logging.Filter):
    """Leaves out lines about requests of the health route."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "GET / HTTP/1.1" not in record.getMessage()


def configure(path: str) -> None:
    """Configure this process's loggers by a file.

    Args:
        path: a JSON file with what ``logging.config.dictConfig`` takes.

    Raises:
        ValueError: it is no such file, or names a class that is not installed here.
        OSError: it cannot be read.
    """
    import logging.config  # a seventh of what a worker's start takes, and few have such a file

    with open(path, encoding="utf-8") as file:
        text = file.read()
    logging.config.dictConfig(json.loads(text.replace('"' + _THEIRS, '"' + __name__ + ".")))

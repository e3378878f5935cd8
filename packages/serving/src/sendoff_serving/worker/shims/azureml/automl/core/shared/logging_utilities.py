"""Logging of AutoML's generated scripts."""

import logging
from typing import Any, Optional


def log_traceback(
    exception: BaseException, logger: Any = None, override_error_msg: Optional[str] = None, **_: Any
) -> None:
    """Log an exception with its traceback."""
    (logger or logging.getLogger(__name__)).error(
        override_error_msg or str(exception), exc_info=(type(exception), exception, exception.__traceback__)
    )


def get_logger(name: str = "azureml.automl", **_: Any) -> logging.Logger:
    """Return a standard logger."""
    return logging.getLogger(name)

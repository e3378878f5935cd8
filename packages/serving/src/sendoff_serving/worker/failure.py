"""Exceptions of the user's script, described for the person who wrote it."""

import os
import traceback
from types import TracebackType
from typing import Any, Dict, List, Optional

_OURS = os.path.dirname(os.path.realpath(__file__))


def _is_ours(filename: str) -> bool:
    return filename.startswith("<frozen importlib") or os.path.realpath(filename).startswith(_OURS + os.sep)


def trimmed(trace: Optional[TracebackType]) -> Optional[TracebackType]:
    """Return the traceback from the first frame that is not the worker's own."""
    at = trace
    while at is not None and _is_ours(at.tb_frame.f_code.co_filename):
        at = at.tb_next
    return at


def text_of(error: BaseException) -> str:
    """Return the traceback as Python prints it, without the frames of the worker."""
    return "".join(traceback.format_exception(type(error), error, trimmed(error.__traceback__))).rstrip("\n")


def summary(error: BaseException) -> str:
    """Return the last line of what Python prints of an exception: its kind and its text."""
    return "".join(traceback.format_exception_only(type(error), error)).strip().splitlines()[-1]


def describe(error: BaseException, folders: List[str], code: str) -> Dict[str, Any]:
    """Describe an exception as the JSON of a FAILED or ERROR frame.

    Args:
        error: what was raised.
        folders: the script's folders; the innermost frame below one of them is the line to look at.
        code: stable error code, such as "init_failed".

    Returns:
        "code", "message", "traceback", and "file" and "line" where they are known.
    """
    file: Optional[str] = None
    line: Optional[int] = None
    if isinstance(error, SyntaxError) and error.filename:
        file, line = error.filename, error.lineno
    else:
        roots = tuple(os.path.realpath(folder) + os.sep for folder in folders)
        at = trimmed(error.__traceback__)
        while at is not None:
            name = at.tb_frame.f_code.co_filename
            real = os.path.realpath(name)
            if real.startswith(roots) and "site-packages" not in real:
                file, line = name, at.tb_lineno
            at = at.tb_next
    return {"code": code, "message": summary(error), "traceback": text_of(error), "file": file, "line": line}

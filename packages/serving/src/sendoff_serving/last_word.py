"""Why a server ended, for whoever runs it and looks at the file that a container leaves (Kubernetes: at most 4 KB)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_BYTES = 4000
_LINES_CUT = "[...]\n"


def last_word(path: Path, error: Mapping[str, Any]) -> None:
    """Write an error as JSON: code, message, file, line, hint, and as much of the traceback's end as there is room for.

    A file that cannot be written is no reason to end in another way: the log says the same.
    """
    said = {name: value for name, value in error.items() if value is not None}
    trace = str(said.pop("traceback", ""))
    for name in ("message", "hint"):
        if len(str(said.get(name, ""))) > 1000:
            said[name] = f"{str(said[name])[:1000]}…"
    whole = trace
    while trace:
        data = json.dumps({**said, "traceback": trace}).encode()
        if len(data) <= _BYTES:
            break
        lines = whole.splitlines(keepends=True)[1:]
        whole = "".join(lines)
        trace = _LINES_CUT + whole if whole else ""
    data = json.dumps({**said, "traceback": trace} if trace else said).encode()
    try:
        path.write_bytes(data[:_BYTES])
    except OSError:
        pass

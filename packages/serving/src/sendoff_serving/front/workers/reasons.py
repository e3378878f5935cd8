"""Why there is no worker: how its process ended, in words, and the model folder as a script saw it that failed."""

from __future__ import annotations

import os
import signal
from pathlib import Path

_MOST_LINES = 200


def exit_text(status: int | None) -> str:
    """Say how a process ended.

    Args:
        status: its return code; negative for a signal, None where it has not ended.
    """
    if status is None:
        return "it closed its connection to the front"
    if status >= 0:
        return f"it exited with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = str(-status)
    more = " (as the kernel does when memory runs out)" if -status == signal.SIGKILL else ""
    return f"it was ended by {name}{more}"


def model_tree(model_dir: str, app_root: Path) -> str:
    """Return the tree of AZUREML_MODEL_DIR, at most 200 lines, four blanks a level, folders ending in "/".

    Source: spec/scoring-server.md sec. 2.
    """
    root = Path(app_root, model_dir)
    if not root.is_dir():
        return f"AZUREML_MODEL_DIR is {model_dir}, and there is no such folder"
    lines = [f"The contents of AZUREML_MODEL_DIR ({root}):"]
    for folder, folders, files in os.walk(root):
        folders.sort()
        depth = len(Path(folder).relative_to(root).parts)
        lines.append(f"{'    ' * depth}{Path(folder).name}/")
        lines += [f"{'    ' * (depth + 1)}{name}" for name in sorted(files)]
        if len(lines) > _MOST_LINES:
            return "\n".join([*lines[:_MOST_LINES], "..."])
    return "\n".join(lines)

"""What the log tells when init() has failed: the model folder as the script saw it."""

from __future__ import annotations

import os
from pathlib import Path

_MOST_LINES = 200


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

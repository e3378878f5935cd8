"""The article and the pages beside it, which are not kept in the repository: ``SENDOFF_ARTICLE`` names the article."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest


def article() -> Path:
    """The article's page; where there is none the test is skipped, but fails in CI."""
    given = os.environ.get("SENDOFF_ARTICLE")
    if given and Path(given).is_file():
        return Path(given)
    return _absent(f"the article is not on this machine: SENDOFF_ARTICLE names {given or 'nothing'}")


def beside(name: str) -> str:
    """The text of a page that lies beside the article."""
    page = article().parent / name
    if not page.is_file():
        _absent(f"{name} is not beside the article that SENDOFF_ARTICLE names")
    return page.read_text(encoding="utf-8")


def python_blocks() -> list[str]:
    """The article's Python samples."""
    return re.findall(r"```python\n(.*?)```", article().read_text(encoding="utf-8"), re.DOTALL)


def _absent(reason: str) -> Path:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)

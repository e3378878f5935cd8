"""A package index whose newest packages do not go together, while those of an earlier day do."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import dated_index
from .wheels import make_wheel

USES_APP = b"import tiny_app\n\n\ndef init():\n    pass\n\n\ndef run(data):\n    return tiny_app.answer()\n"
"""An entry script that runs with ``tiny-app==1.0`` and the ``tiny-base`` of its day; it answers ``as then``."""


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve it from a folder that is made; gives the address. Of tiny-base there is an old release, and one of this
    week that lacks a name; tiny-numpy says that its binaries do not fit."""
    folder.mkdir()
    app = "from tiny_base import gone\n\n\ndef answer():\n    return gone\n"
    make_wheel(folder, "tiny-app", "1.0", requires=["tiny-base"], code=app)
    make_wheel(folder, "tiny-base", "1.0", code="gone = 'as then'\n")
    make_wheel(folder, "tiny-base", "2.0")
    make_wheel(folder, "tiny-numpy", "2.0", code="raise ValueError('numpy.dtype size changed, may indicate binary '\n"
               "'incompatibility. Expected 96 from C header, got 88 from PyObject')\n")  # fmt: skip
    make_wheel(folder, "tiny-crash", "1.0", code="import os\nos.kill(os.getpid(), 11)\n")
    today = datetime.datetime.now(datetime.UTC).date()
    days = {"tiny_app-1.0": 100, "tiny_base-1.0": 900, "tiny_base-2.0": 3, "tiny_numpy-2.0": 3, "tiny_crash-1.0": 3}
    dates = {f"{file}-py3-none-any.whl": str(today - datetime.timedelta(days=age)) for file, age in days.items()}
    with dated_index.serve(folder, dates) as address:
        yield address

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from deployment_rigs import Rig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path / "home")
    yield rig
    rig.close()
    rig.until(lambda: rig.runners() == [])

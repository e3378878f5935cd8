"""The systemd unit."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sendoff.sdk.boot import systemd_unit


def test_it_restores_stays_and_spares_the_services() -> None:
    unit = systemd_unit(Path("/srv/a home/100%$"), python="/usr/bin/python3")
    command = (
        '"/usr/bin/python3" -P -m sendoff.targets.process.supervisor --home "/srv/a home/100%%$$" --restore --stay'
    )
    assert f"ExecStart={command}\n" in unit
    assert "KillMode=process\n" in unit
    assert "WantedBy=default.target\n" in unit


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_accepts_it(tmp_path: Path) -> None:
    file = tmp_path / "sendoff.service"
    file.write_text(systemd_unit(tmp_path, python=sys.executable))
    checked = subprocess.run(["systemd-analyze", "--user", "verify", str(file)], capture_output=True, text=True)
    assert str(file) not in checked.stderr, checked.stderr

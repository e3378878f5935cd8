"""Where a container instance runs when the engine cannot have the base image: as processes, and it is said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from container_engine import base_image

SENDOFF = Path(sys.executable).with_name("sendoff")


@pytest.mark.parametrize(
    ("base", "target"),
    [("here", "docker"), ("localhost:1/sendoff-test/not-there:1", "process")],
    ids=["here", "nowhere"],
)
def test_a_base_image_that_cannot_be_had_makes_processes_of_containers(base: str, target: str, tmp_path: Path) -> None:
    image = base_image() if base == "here" else base
    base_image()
    (tmp_path / "score.py").write_text("def init():\n    pass\n\n\ndef run(data):\n    return data\n")
    environment = {"name": "e", "python": {"condaDependencies": {"dependencies": ["python=3.11"]}}}
    (tmp_path / "ic.json").write_text(json.dumps({"entryScript": "score.py", "environment": environment}))
    command = [SENDOFF, "model", "deploy", "-n", "svc", "--ic", "ic.json", "--check", "-o", "json"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={
            **os.environ,
            "SENDOFF_HOME": str(tmp_path / "home"),
            "SENDOFF_ACI_TARGET": "auto",
            "SENDOFF_BASE_IMAGE": image,
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    report = json.loads(done.stdout)
    assert report["target"] == target, done.stderr
    if target == "process":
        assert any(f"{image} is not in the engine and cannot be pulled" in note for note in report["details"])

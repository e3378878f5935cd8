"""Docker's engine, a base image and a registry for tests: made once per machine by ``engine/setup.sh``.

Without an engine tests are skipped with one line; under CI everything is installed and started first.
"""

import functools
import os
import subprocess
from pathlib import Path

import pytest

SETUP = Path(__file__).parent / "engine" / "setup.sh"


@functools.cache
def base_image() -> str:
    """The name of the base image (Debian with its own Python 3.11), in an engine that answers."""
    arguments = [] if os.environ.get("CI") == "true" else ["--check"]
    done = subprocess.run(["bash", str(SETUP), *arguments], capture_output=True, text=True, timeout=900)
    name = done.stdout.strip()
    if done.returncode == 0 and name:
        return name
    if os.environ.get("CI") == "true":
        pytest.fail(f"no container engine: {done.stderr.strip()[-2000:]}")
    pytest.skip("no container engine here: run tests/engine/setup.sh")

"""Azurite, the open server that speaks Azure Blob Storage's protocol: installed by npm once, into the tests' cache."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from environment_cache import cache

VERSION = "3.35.0"
ACCOUNT = "devstoreaccount1"
KEY = "c2VuZG9mZi10ZXN0cw=="
"""Of the test's own choosing; Azurite takes what the variable says."""


def program() -> Path:
    """The server's script; where npm is missing the test is skipped, but fails in CI."""
    folder = cache() / f"azurite-{VERSION}"
    script = folder / "node_modules/azurite/dist/src/blob/main.js"
    with open(folder.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if script.exists() and shutil.which("node"):
            return script
        if not shutil.which("npm") or not shutil.which("node"):
            reason = "npm is not on this machine (Azurite, for the tests of Azure Blob Storage)"
            if os.environ.get("CI") == "true":
                pytest.fail(reason)
            pytest.skip(reason)
        staged = folder.with_suffix(".staged")
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir()
        npm = ["npm", "install", "--no-audit", "--no-fund", "--omit=dev", "--prefix", staged, f"azurite@{VERSION}"]
        done = subprocess.run(npm, capture_output=True, text=True, timeout=280)
        assert done.returncode == 0, done.stderr
        shutil.rmtree(folder, ignore_errors=True)
        staged.rename(folder)
    return script


def start(folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    """The server as a process of its own, on loopback and empty; and the connection string of its account."""
    script = program()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(folder)]
    process = subprocess.Popen(
        ["node", str(script), *options, "--disableTelemetry", "--skipApiVersionCheck", "--silent"],
        env={**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}/{ACCOUNT}"
    return process, (f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={address};")

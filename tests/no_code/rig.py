"""What tests of services without code share: environments that train, and services that are asked and taken away."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import environment_cache
from serving.interpreters import environment
from serving.test_documents_are_true import SAME_FOR_ALL, TENSORS

OURS = f"{sys.version_info.major}.{sys.version_info.minor}"
"""The Python that registers: a recipe takes it where the framework's release allows it."""

SKLEARN = "1.9.1"


def conda(python: str, *packages: str) -> str:
    """A conda file's text: the same packages as a recipe's, so that both are the same environment."""
    lines = "".join(f"    - {package}\n" for package in packages)
    return f"name: project_environment\ndependencies:\n- python={python}\n- pip:\n{lines}"


def train(environment: str, code: str, *arguments: str | Path, cwd: Path) -> Any:
    """The files that a script makes in a cached environment, in ``cwd``, and the JSON of its last line.

    Run once for the same packages, script and arguments: kept as the environment is.
    """

    def make(folder: Path) -> None:
        python = environment_cache.built(environment)
        (folder / "make.py").write_text(code)  # in a file: TorchScript reads the source of what it compiles
        done = subprocess.run(
            [str(python), "-W", "ignore", "make.py", *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=folder,
            timeout=280,
        )
        assert done.returncode == 0, done.stderr[-4000:]
        (folder / "make.json").write_text(done.stdout.splitlines()[-1])

    lock = environment_cache.locked(environment)
    kept = environment_cache.folder("trained", [lock.digest, code, *map(str, arguments)], make)
    shutil.copytree(kept, cwd, dirs_exist_ok=True)
    return json.loads((kept / "make.json").read_text())


class Asked:
    """A service's address, asked over HTTP."""

    def __init__(self, scoring_uri: str) -> None:
        self.base = scoring_uri.rpartition("/")[0]

    def raw(self, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes, dict[str, str]]:
        request = urllib.request.Request(
            self.base + path, data=body, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read(), dict(answer.headers)
        except urllib.error.HTTPError as error:
            return error.code, error.read(), dict(error.headers)

    def post(self, body: Any, path: str = "/score") -> Any:
        """The answer's JSON; of an error with its status under ``http``."""
        status, content, _ = self.raw(path, json.dumps(body).encode(), Content_Type="application/json")
        value = json.loads(content)
        return value if status == 200 else {**value, "http": status}

    def get(self, path: str) -> Any:
        status, content, _ = self.raw(path)
        assert status == 200, content
        return json.loads(content)


def fuzzed(asked: Asked, folder: Path, *more: str, version: str = "3") -> None:
    """Let schemathesis make requests from the service's own document; what it finds fails the test."""
    tool = Path(environment("3.12", "schemathesis")).with_name("schemathesis")
    # Bounds of the numbers that a model takes are in no schema: refusing them with 400 is right. What no model changes
    # is asked for by the tests of documents (serving/test_documents_are_true.py).
    lenient = [
        "--exclude-checks",
        "negative_data_rejection,positive_data_acceptance",
        "--exclude-path-regex",
        f"{TENSORS}|{SAME_FOR_ALL}",
    ]
    address = f"{asked.base}/swagger.json?version={version}"
    command = [str(tool), "run", address, "-n", "25", "--no-color", "--seed", "1", *lenient, *more]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=280)
    assert done.returncode == 0, done.stdout[-4000:]

"""A real browser without a window, driven over its debugging pipe: Chromium's DevTools protocol in JSON."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


def program() -> str:
    """The browser; where there is none the test is skipped."""
    found = next((path for name in ("chromium", "google-chrome", "chrome") if (path := shutil.which(name))), None)
    if found is None and os.environ.get("CI") == "true":
        pytest.fail("no Chromium on this machine; .ci/run installs it")
    return found or pytest.skip("no Chromium on this machine")


class Page:
    """One page of a browser."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = commands, answers
        self._last, self._read = 0, b""
        self._session: str | None = None
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def open(self, address: str) -> None:
        """Go to an address, and wait until the page is complete."""
        self._ask("Page.navigate", url=address)
        self.wait("location.href !== 'about:blank' && document.readyState === 'complete'")

    def run(self, script: str) -> Any:
        """The value of an expression in the page; promises are awaited."""
        done = self._ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def wait(self, condition: str) -> None:
        """Wait until an expression is true."""
        loop = "new Promise(done => {const look = () => CONDITION ? done(true) : setTimeout(look, 20); look();})"
        assert self.run(loop.replace("CONDITION", f"({condition})"))

    def type(self, id_: str, text: str) -> None:
        """Put a text into a field, as whoever types it and leaves the field."""
        events = "field.dispatchEvent(new Event('input')); field.dispatchEvent(new Event('change'))"
        self.run(f"{{const field = document.getElementById({id_!r}); field.value = {json.dumps(text)}; {events}}}")

    def text(self, id_: str) -> str:
        return str(self.run(f"document.getElementById({id_!r}).textContent"))

    def _ask(self, method: str, **parameters: Any) -> Any:
        self._last += 1
        session = {"sessionId": self._session} if self._session else {}
        message = json.dumps({"id": self._last, "method": method, "params": parameters, **session})
        os.write(self._commands, message.encode() + b"\0")
        while True:
            while b"\0" not in self._read:
                part = os.read(self._answers, 65_536)
                assert part, "the browser has ended"
                self._read += part
            one, _, self._read = self._read.partition(b"\0")
            answer = json.loads(one)
            if answer.get("id") == self._last:
                assert "error" not in answer, answer
                return answer["result"]


@contextmanager
def page(folder: Path) -> Iterator[Page]:
    """A page of a browser with a profile of its own."""
    theirs, commands = os.pipe()
    answers, told = os.pipe()
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe"]
    # The browser reads commands from descriptor 3 and writes answers to 4.
    shell = f'exec "$0" "$@" 3<&{theirs} 4>&{told}'
    process = subprocess.Popen(
        ["bash", "-c", shell, program(), *options, f"--user-data-dir={folder}", "about:blank"],
        pass_fds=(theirs, told),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs)
    os.close(told)
    try:
        yield Page(commands, answers)
    finally:
        os.close(commands)
        os.close(answers)
        process.terminate()
        process.wait(10)

"""A reader of the article at a keyboard: one Python session, a shell, a browser; and what they leave, taken away."""

from __future__ import annotations

import json
import os
import shlex
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

import environment_cache
from api.running import end_everything

FACADE = Path(__file__).parents[2] / "packages" / "azureml" / "src"

# Reads one JSON line a piece of code, runs it in the session's namespace; answers with what it printed, and the
# traceback and the value, or null.
_SESSION = """
import contextlib, io, json, os, sys, traceback
space, answers = {'__name__': '__main__'}, os.fdopen(os.dup(1), 'w')
os.dup2(2, 1)  # what a child of ours prints (os.system) is no answer
for line in sys.stdin:
    code, where, wanted = json.loads(line)
    failure, value, out = None, None, io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            if wanted:
                value = eval(compile(code, where, 'eval'), space)
            else:
                exec(compile(code, where, 'exec'), space)
    except BaseException:
        failure = traceback.format_exc()
    print(json.dumps([out.getvalue(), failure, value], default=str), file=answers, flush=True)
"""


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


class Answer(NamedTuple):
    """What a service answered."""

    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def value(self) -> Any:
        return json.loads(self.body)


class Reader:
    """One working folder, one home, one Python session for the whole article."""

    def __init__(self, folder: Path, base_image: str) -> None:
        self.folder, self.home = folder, environment_cache.share(folder.parent / "home")
        folder.mkdir()
        images = environment_cache.cache() / "images"
        images.mkdir(exist_ok=True)
        (self.home / "images").symlink_to(images, target_is_directory=True)
        self.environ = {
            **{name: value for name, value in os.environ.items() if name not in ("SENDOFF_SERVER", "SENDOFF_TOKEN")},
            "SENDOFF_HOME": str(self.home),
            "SENDOFF_ACI_TARGET": "process",
            "SENDOFF_BASE_IMAGE": base_image,
            "PYTHONPATH": str(FACADE),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "COLUMNS": "150",
            "DOCKER_CONFIG": str(folder.parent / "docker"),
        }
        self.ports: dict[int, int] = {}
        self.tag = f"sendoff-article-{os.getpid()}"
        """What containers and images of this run are called, in place of the page's own short names."""
        self.containers: list[subprocess.Popen[bytes]] = []
        self.images: list[str] = []
        self._session = subprocess.Popen(
            [sys.executable, "-c", _SESSION],
            cwd=folder,
            env=self.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def write(self, name: str, content: str | bytes) -> None:
        """Supply a file."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)

    def python(self, code: str) -> str:
        """Run code in the session; returns what it printed."""
        out, failure, _ = self._exchange(code, False)
        assert failure is None, f"{code}\n{out}\n{failure}"
        return out

    def refused(self, code: str) -> str:
        """Run code that has to fail; returns the traceback."""
        out, failure, _ = self._exchange(code, False)
        assert failure is not None, f"this should have failed:\n{code}\n{out}"
        return failure

    def value(self, expression: str) -> Any:
        """A value of the session, as JSON has it."""
        out, failure, value = self._exchange(expression, True)
        assert failure is None, f"{expression}\n{out}\n{failure}"
        return value

    def _exchange(self, code: str, wanted: bool) -> tuple[str, str | None, Any]:
        assert self._session.stdin is not None
        assert self._session.stdout is not None
        self._session.stdin.write(json.dumps([code, "<article>", wanted]) + "\n")
        self._session.stdin.flush()
        line = self._session.stdout.readline()
        assert line, "the session's process has ended"
        out, failure, value = json.loads(line)
        return out, failure, value

    def az(self, line: str, *, code: int = 0) -> Done:
        """Run an ``az ml`` line through ``sendoff``, which has to end with ``code``."""
        words = shlex.split(line)
        assert words[:2] == ["az", "ml"], line
        return self.sendoff(*words[2:], code=code)

    def sendoff(self, *words: str, code: int = 0) -> Done:
        """Run ``sendoff``."""
        done = self._shell(["sendoff", *words], 280)
        assert done.code == code, f"sendoff {shlex.join(words)} ended with {done.code}\n{done.out}\n{done.err}"
        return done

    def docker(self, line: str) -> Done:
        """Run a ``docker`` line to its end."""
        done = self._shell(shlex.split(line), 280)
        assert done.code == 0, f"{line} ended with {done.code}\n{done.out}\n{done.err}"
        return done

    def _shell(self, words: list[str], seconds: int) -> Done:
        done = subprocess.run(
            words, cwd=self.folder, env=self.environ, capture_output=True, stdin=subprocess.DEVNULL, timeout=seconds
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    def docker_run(self, line: str, port: int) -> None:
        """Run a ``docker run`` line as another terminal would, and wait until the service answers."""
        log = (self.folder.parent / f"container{len(self.containers)}.log").open("wb")
        with log:
            process = subprocess.Popen(shlex.split(line), cwd=self.folder, env=self.environ, stdout=log, stderr=log)
        self.containers.append(process)
        end = time.monotonic() + 120
        while True:
            try:
                if self.ask("GET", f"http://127.0.0.1:{port}/").status == 200:
                    return
            except OSError:
                pass
            said = Path(log.name).read_text(errors="replace")
            assert process.poll() is None, f"{line} ended with {process.returncode}\n{said}"
            assert time.monotonic() < end, f"{line}\n{said}"
            time.sleep(0.2)

    def kill(self) -> None:
        """Free the container's name for the next one."""
        self.docker(f"docker rm --force {self.tag}")
        self.containers[-1].wait(30)

    def ask(self, method: str, url: str, body: bytes | None = None, **headers: str) -> Answer:
        """One HTTP request, as a browser or curl sends it."""
        request = urllib.request.Request(
            url, data=body, method=method, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Answer(answer.status, answer.read(), dict(answer.headers))
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read(), dict(error.headers))

    def post(self, url: str, value: Any) -> Answer:
        """A JSON body."""
        return self.ask("POST", url, json.dumps(value).encode(), Content_Type="application/json")

    def port(self, printed: int) -> int:
        """The free port that stands for one of the page's."""
        if printed not in self.ports:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.ports[printed] = probe.getsockname()[1]
        return self.ports[printed]

    def close(self) -> None:
        """End the session, the services, the containers; remove the images."""
        assert self._session.stdin is not None
        self._session.stdin.close()
        self._session.wait(60)
        end_everything(self.home)
        if self.containers:
            self._shell(["docker", "rm", "--force", "--volumes", self.tag], 60)
        for image in self.images:
            self._shell(["docker", "rmi", "--force", image], 60)

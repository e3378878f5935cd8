"""A STAND-IN for the scoring server, for tests of the process target alone: it speaks the front's command line and
control socket (docs/architecture.md), runs the script in its own process and has a sleeping process in place of each
worker.

It can also misbehave, which the real server does not: a bundle with the file ``exit-at-start`` ends it at once.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socketserver
import subprocess
import sys
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

parser = argparse.ArgumentParser()
for name in ("bundle", "python", "host", "control", "log-file"):
    parser.add_argument(f"--{name}", required=True)
parser.add_argument("--port", type=int, required=True)
parser.add_argument("--revision", type=int, required=True)
parser.add_argument("--keeper-file")
options = parser.parse_args()

lock = threading.Lock()
state = {"serving": None, "pending": None, "draining": False, "active": 0}


def log(text):
    with open(options.log_file, "a") as file:
        file.write(text + "\n")


def load(generation):
    log(f"loading revision {generation['revision']}")
    script = Path(generation["bundle"]) / "app" / "score.py"
    generation["phase"] = "init"
    space = {"__name__": "score", "__file__": str(script)}
    try:
        exec(compile(script.read_text(), str(script), "exec"), space)
        space["init"]()
    except BaseException as error:
        line = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(script)]
        generation["error"] = {
            "code": "script_failed",
            "message": str(error),
            "traceback": traceback.format_exc(),
            "file": str(script),
            "line": line[-1] if line else 0,
        }
        generation["phase"] = "failed"
        log(generation["error"]["traceback"])
        return
    worker = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    generation["process"] = worker
    generation["run"] = space["run"]
    generation["workers"] = [{"pid": worker.pid, "state": "ready", "restarts": 0, "requests": 0, "rss_mb": 1.0}]
    generation["phase"] = "ready"
    with lock:
        old, state["serving"] = state["serving"], generation
        if state["pending"] is generation:
            state["pending"] = None
    log(f"sendoff - Worker with pid {worker.pid} ready after 0.00 s")
    if old is not None and "process" in old:
        old["process"].stdin.close()


def generate(bundle, python, revision):
    return {
        "revision": revision,
        "bundle": bundle,
        "python": python,
        "phase": "starting",
        "error": None,
        "workers": [],
        "requests_total": 0,
    }


def shown(generation):
    if generation is None:
        return None
    return {key: value for key, value in generation.items() if key not in ("process", "run")}


def end(drain):
    state["draining"] = True
    deadline = time.monotonic() + drain
    while state["active"] and time.monotonic() < deadline:
        time.sleep(0.01)
    Path(options.control).unlink(missing_ok=True)
    for generation in (state["serving"], state["pending"]):
        if generation and "process" in generation:
            generation["process"].kill()
    os._exit(0)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def address_string(self):
        return "local"

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))


class Scoring(Handler):
    def do_GET(self):
        self.answer(200, "Healthy")

    def do_POST(self):
        body = self.body()
        generation = state["serving"]
        if generation is None:
            self.answer(503, {"message": "not ready"})
            return
        with lock:
            state["active"] += 1
        try:
            self.answer(200, generation["run"](body.decode()))
            generation["requests_total"] += 1
        finally:
            with lock:
                state["active"] -= 1


class Control(Handler):
    def do_GET(self):
        serving, pending = state["serving"], state["pending"]
        phases = [g["phase"] for g in (serving, pending) if g]
        name = "ready" if "ready" in phases else "failed" if "failed" in phases else "starting"
        self.answer(
            200,
            {
                "pid": os.getpid(),
                "started": 0,
                "protocol": 1,
                "host": options.host,
                "port": options.port,
                "state": "draining" if state["draining"] else name,
                "revision": serving["revision"] if serving else None,
                "serving": shown(serving),
                "pending": shown(pending),
            },
        )

    def do_POST(self):
        wish = json.loads(self.body() or b"{}")
        if self.path == "/stop":
            self.answer(202, {})
            threading.Thread(target=end, args=(wish.get("drain_seconds", 1),)).start()
            return
        if self.path == "/reload":
            serving = state["serving"]
            wish = {key: serving[key] for key in ("bundle", "python", "revision")}
        state["pending"] = generate(wish["bundle"], wish["python"], wish["revision"])
        threading.Thread(target=load, args=(state["pending"],), daemon=True).start()
        self.answer(202, {})


class ControlServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


if (Path(options.bundle) / "exit-at-start").exists():
    print("the stand-in ends as it was told", file=sys.stderr)
    raise SystemExit(3)
ThreadingHTTPServer.allow_reuse_address = True
ThreadingHTTPServer.request_queue_size = 128
sys.stdout = open(options.log_file, "a", buffering=1)  # noqa: SIM115 (open as long as the process)
scoring = ThreadingHTTPServer((options.host, options.port), Scoring)
control = ControlServer(options.control, Control)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=end, args=(1,)).start())
state["pending"] = generate(options.bundle, options.python, options.revision)
threading.Thread(target=control.serve_forever, daemon=True).start()
threading.Thread(target=load, args=(state["pending"],), daemon=True).start()
scoring.serve_forever()

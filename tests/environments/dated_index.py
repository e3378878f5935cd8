"""A package index on this machine that says when its files were uploaded, or does not (Simple API as JSON, PEP 700)."""

import hashlib
import http.server
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def serve(folder: Path, days: Mapping[str, str]) -> Iterator[str]:
    """Serve a folder's archives; ``days`` gives a file's day, a file that is not in it has none. Gives the address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, _, rest = self.path.strip("/").partition("/")
            if kind == "files":
                self._answer((folder / rest).read_bytes(), "application/octet-stream")
                return
            files = [self._file(path) for path in sorted(folder.iterdir()) if _package(path.name) == kind]
            if files:
                page = {"meta": {"api-version": "1.1"}, "name": kind, "files": files}
                self._answer(json.dumps(page).encode(), "application/vnd.pypi.simple.v1+json")
            else:
                self.send_error(404)

        do_HEAD = do_GET  # noqa: N815 (the name that http.server looks for)

        def _file(self, path: Path) -> dict[str, object]:
            day = days.get(path.name)
            return {
                "filename": path.name,
                "url": f"/files/{path.name}",
                "hashes": {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()},
                **({"upload-time": f"{day}T12:00:00.000000Z"} if day else {}),
            }

        def _answer(self, body: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def _package(file: str) -> str:
    name = file.rpartition("-")[0] if file.endswith(".tar.gz") else file.split("-")[0]
    return name.lower().replace("_", "-")

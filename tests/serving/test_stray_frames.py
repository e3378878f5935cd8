"""A script can write into its worker's socket: what is no frame for now ends the worker, and not its place (F33)."""

from __future__ import annotations

import json

import pytest

from .running import eventually

SCRIPT = """
    import gc, os
    from sendoff_serving.worker.channel import Channel

    def init():
        global channel
        channel = next(found for found in gc.get_objects() if isinstance(found, Channel))

    def run(data):
        if data.startswith("send "):
            _, kind, body = data.split(" ", 2)
            channel.send_bodies(int(kind), [body.encode()])
        return os.getpid()
"""
READY = json.dumps({"shape": "string", "parameters": ["data"], "required": ["data"]})


@pytest.mark.parametrize("preload", [(), ("--preload",)], ids=["", "preload"])
def test_the_worker_is_replaced_and_requests_go_on(serve, preload: tuple[str, ...]) -> None:
    server = serve(SCRIPT, *preload)
    sent = [
        "3 {}",
        '3 {"code": "x"}',
        '3 {"code": "x", "message": "late"}',
        "3 []",
        "3 null",
        "3 no json",
        f"2 {READY}",
        "2 {}",
        "1 {}",
        "12 {}",
        '12 {"pid": "x", "returncode": 1}',
    ]
    if preload:
        sent = sent[:3]
    for text in sent:
        before = server.score("x").json
        assert server.score(f"send {text}").status in (200, 503)
        eventually(lambda before=before: server.score("x").status == 200 and server.score("x").json != before)
    server.stop()
    assert "Traceback" not in server.log

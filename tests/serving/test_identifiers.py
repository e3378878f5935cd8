"""Request ids (spec/scoring-server.md sec. 7), row by row."""

from __future__ import annotations

import re

import pytest

SCRIPT = "def init(): pass\ndef run(data): return 1\n"
GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
TABLE = [
    ({}, "new", "same", None),
    ({"x-request-id": "A"}, "A", "A", None),
    ({"x-ms-request-id": "B"}, "new", "B", "B"),
    ({"x-ms-client-request-id": "C"}, "new", "C", "C"),
    ({"x-ms-request-id": "B", "x-ms-client-request-id": "C"}, "new", "B", "C"),
    ({"x-request-id": "A", "x-ms-request-id": "B"}, "A", "B", "B"),
    ({"x-request-id": "A", "x-ms-client-request-id": "C"}, "A", "C", "C"),
]
"""What is sent, and what the answer has as x-request-id, x-ms-request-id and x-ms-client-request-id."""


@pytest.mark.parametrize(
    ("given", "request_id", "ms_request_id", "client_request_id"),
    TABLE,
)
def test_the_table_of_ids(shared, given, request_id, ms_request_id, client_request_id) -> None:
    server = shared(SCRIPT)
    for path in ("/score", "/", "/swagger.json"):
        headers = server.get(path, **given).headers
        if request_id == "new":
            assert GUID.match(headers["x-request-id"])
        else:
            assert headers["x-request-id"] == request_id
        assert headers["x-ms-request-id"] == (headers["x-request-id"] if ms_request_id == "same" else ms_request_id)
        assert headers["x-ms-client-request-id"] == client_request_id
        assert headers["x-ms-server-version"].startswith("sendoff-serving/")


def test_generated_ids_differ(shared) -> None:
    server = shared(SCRIPT)
    assert len({server.get("/").headers["x-request-id"] for _ in range(150)}) == 150


def test_ids_over_a_hundred_characters_are_refused(shared) -> None:
    server = shared(SCRIPT)
    answer = server.score("", x_request_id="A" * 101)
    assert answer.status == 431
    assert answer.json["message"] == "x-request-id must not exceed 100 characters"
    assert [answer.headers[name] for name in ("x-request-id", "x-ms-request-id", "x-ms-client-request-id")] == [
        None
    ] * 3
    answer = server.score("", x_ms_client_request_id="C" * 101)
    assert answer.status == 431
    assert answer.json["message"] == "x-ms-request-id and x-ms-client-request-id must not exceed 100 characters"
    assert answer.headers["x-request-id"] and answer.headers["x-ms-request-id"] is None
    assert server.score("", x_request_id="A" * 100).status == 200


def test_score_says_how_run_went_and_how_long_it_took(serve) -> None:
    server = serve("def init(): pass\ndef run(data): return 1 / int(data)\n")
    headers = server.score("1", TraceId="t-1").headers
    assert headers["x-ms-run-function-failed"] == "False"
    assert re.match(r"\d+\.\d{3}$", headers["x-ms-run-fn-exec-ms"])
    assert re.match(r"queue;dur=[\d.]+, run;dur=[\d.]+$", headers["Server-Timing"])
    assert headers["TraceId"] == "t-1"
    assert server.score("0").headers["x-ms-run-function-failed"] == "True"

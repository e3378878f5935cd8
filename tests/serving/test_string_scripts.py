"""Scripts whose run() is not decorated: it receives the body as text (spec/scoring-server.md sec. 5)."""

from __future__ import annotations

import json

import pytest

ECHO = """
    def init():
        pass

    def run(raw_data):
        return {"kind": type(raw_data).__name__, "text": raw_data}
"""


def test_run_receives_the_body_as_text_whatever_its_type(shared) -> None:
    server = shared(ECHO)
    for content_type in ("application/json", "text/csv", "application/octet-stream"):
        answer = server.request("POST", "/score", "1,2,ü".encode(), {"Content-Type": content_type})
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.json == {"kind": "str", "text": "1,2,ü"}
    assert server.request("POST", "/score", b"").json["text"] == ""


def test_a_body_that_is_not_utf8_is_the_callers_mistake(shared) -> None:
    answer = shared(ECHO).score(b"\xff\xfe")
    assert answer.status == 400
    assert answer.json["message"].startswith("Input cannot be decoded as UTF-8:")
    assert answer.json["status_code"] == 400
    assert answer.json["code"] == "body_not_utf8"


def test_a_get_gives_the_query_as_a_json_object(shared) -> None:
    server = shared(ECHO)
    text = server.get("/score?a=1&b=x&c=%5B1%2C2%5D&d=1&d=two&e=").json["text"]
    assert json.loads(text) == {"a": 1, "b": "x", "c": [1, 2], "d": [1, "two"], "e": ""}
    assert server.get("/score").json["text"] == "{}"


def test_options_is_answered_without_the_script(shared) -> None:
    answer = shared(ECHO).request("OPTIONS", "/score")
    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize(
    ("result", "body"),
    [
        ("None", b"{}"),
        ("[1, 2.5, 'ä', None, True]", b'[1, 2.5, "\\u00e4", null, true]'),
        ("'text'", b'"text"'),
        ("__import__('json').dumps({'a': 1})", b'"{\\"a\\": 1}"'),
        ("{1: 2}", b'{"1": 2}'),
    ],
)
def test_results_are_encoded_as_json(shared, result: str, body: bytes) -> None:
    answer = shared("def init(): pass\ndef run(data): return eval(data)\n").score(result.encode())
    assert (answer.status, answer.body) == (200, body)


def test_request_headers_and_parameters_with_defaults(serve) -> None:
    server = serve("""
        def init():
            pass

        def run(data, request_headers, scale=3):
            return [data, scale, request_headers["X-Tenant"], request_headers.get("x-tenant")]
    """)
    assert server.score("hi", x_tenant="blue").json == ["hi", 3, "blue", None]


def test_init_is_called_once_in_each_worker_before_any_request(serve) -> None:
    server = serve(
        """
        import os
        calls = []

        def init():
            calls.append(os.getpid())

        def run(data):
            import time
            time.sleep(0.05)
            return calls
        """,
        "--workers",
        "2",
    )
    import concurrent.futures

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = [answer.json for answer in pool.map(lambda _: server.score(""), range(24))]
    assert all(len(calls) == 1 for calls in answers)
    assert len({calls[0] for calls in answers}) == 2


def test_init_and_run_share_the_main_thread(serve) -> None:
    server = serve("""
        import threading
        here = []

        def init():
            here.append(threading.current_thread() is threading.main_thread())
            here.append(threading.get_ident())

        def run(data):
            return [here[0], here[1] == threading.get_ident()]
    """)
    assert server.score("").json == [True, True]


def test_a_script_that_raises_is_a_500_without_its_text(serve) -> None:
    server = serve("""
        def init():
            pass

        def run(data):
            raise ValueError("secret " + data)
    """)
    answer = server.score("abc")
    assert answer.status == 500
    assert answer.headers["x-ms-run-function-failed"] == "True"
    assert answer.json["code"] == "run_failed"
    assert answer.json["message"] == ("An unexpected error occurred in scoring script. Check the logs for more info.")
    assert b"secret" not in answer.body
    server.stop()
    assert "ValueError: secret abc" in server.log
    assert answer.headers["x-request-id"] in server.log
    assert "sendoff_serving" not in server.log.split("Encountered Exception", 1)[1].split("ValueError")[0]


@pytest.mark.parametrize("version", ["3", "3.1"])
def test_the_documents_do_not_require_a_body_where_an_empty_one_is_taken(serve, version) -> None:
    server = serve("""
        def init(): pass
        def run(data): return [data]
    """)
    assert server.score(b"").json == [""]
    score = server.get(f"/swagger.json?version={version}").json["paths"]["/score"]["post"]
    assert score["requestBody"]["required"] is False

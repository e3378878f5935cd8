"""Results that a careless test of "is this a response?" would trip over: none of them ends the worker."""

from __future__ import annotations

import json

import pytest

SCRIPT = '''
    from unittest.mock import MagicMock, Mock
    from azureml.contrib.services.aml_response import AMLResponse

    class Open(dict):
        """A dict with open attributes, as addict.Dict and Box(default_box=True) are."""
        def __getattr__(self, name):
            return self.setdefault(name, Open())

    class Raising:
        get_data = print
        @property
        def status_code(self): raise RuntimeError("in the property")

    class Flaskish:
        status_code = "202"
        def __init__(self): self.headers = [("X-A", b"bytes")]
        def get_data(self): return "text"

    class Answering:
        """Answers to any name with another of its kind, as proxies of remote objects do."""
        def __getattr__(self, name):
            return Answering()
        def __call__(self, *_):
            return Answering()

    class Endless:
        def tolist(self): return Endless()

    class Tensor:
        """What torch's offers, of which detach() gives the next."""
        def detach(self): return Tensor()
        def tolist(self): return [[1.5]]

    class Unreadable:
        def __getattribute__(self, name): raise OSError("closed")

    class Failing(dict):
        def items(self): raise KeyError("lost")

    def response(status):
        made = AMLResponse("text", 200)
        made.status_code = status
        return made

    def init(): print("loaded")

    def run(data):
        return eval(data)
'''


@pytest.fixture
def odd(shared):
    return shared(SCRIPT)


@pytest.mark.parametrize(
    ("expression", "status", "content"),
    [
        ("Open(result=[1, 2])", 200, {"result": [1, 2]}),
        ("[Open(a=Open(b=1))]", 200, [{"a": {"b": 1}}]),
        ("response('201')", 201, "text"),
        ("Flaskish()", 202, "text"),
        ("response('abc')", 500, "result_not_encodable"),
        ("response(None)", 500, "result_not_encodable"),
        ("response(99999)", 500, "result_not_encodable"),
        ("Raising()", 500, "result_not_encodable"),
        ("Mock()", 500, "result_not_encodable"),
        ("{'a': [Mock()]}", 500, "result_not_encodable"),
        ("{Mock(): 1}", 500, "result_not_encodable"),
        ("[Answering()]", 500, "result_not_encodable"),
        ("[Endless()]", 500, "result_not_encodable"),
        ("Tensor()", 200, [[1.5]]),
        ("{'t': Tensor()}", 200, {"t": [[1.5]]}),
        ("Unreadable()", 500, "result_not_encodable"),
        ("Failing(a=1)", 500, "result_not_encodable"),
        ("setattr(r := AMLResponse('a'), 'headers', 5) or r", 500, "result_not_encodable"),
        ("setattr(r := AMLResponse('a'), 'headers', {'X-A': b'x'}) or r", 200, "a"),
    ],
)
def test_no_object_ends_the_worker(odd, expression, status, content) -> None:
    answer = odd.score(expression)
    assert answer.status == status, odd.log
    if status >= 400:
        assert answer.json["code"] == content
    else:
        assert (answer.body.decode() if isinstance(content, str) else answer.json) == content
    assert odd.score("1").status == 200
    assert odd.log.count("loaded") == 1, "the worker was started again"


@pytest.mark.parametrize("expression", ["MagicMock()", "Raising()", "Open(result=1)"])
def test_no_object_ends_a_worker_that_joins_requests(serve, expression) -> None:
    server = serve(SCRIPT, "--max-batch-rows", 4)
    assert server.score(expression).status in (200, 500)
    assert server.score("1").status == 200
    server.stop()
    assert server.log.count("loaded") == 1


def test_bytes_in_a_header_are_its_text(odd) -> None:
    assert odd.score("Flaskish()").headers["X-A"] == "bytes"
    assert odd.score("AMLResponse('a', 200, {'X-B': b'abc'})").headers["X-B"] == "abc"


def test_an_exception_that_is_returned_is_named_in_the_log_with_a_hint(serve) -> None:
    odd = serve(SCRIPT)
    answer = odd.score("ValueError('the column is missing')")
    assert (answer.status, answer.json["code"]) == (500, "result_not_encodable")
    assert b"missing" not in answer.body, "what an exception says may be private"
    assert b"in the property" not in odd.score("Raising()").body
    odd.stop()
    assert "ValueError: the column is missing" in odd.log
    assert "let run() raise it" in odd.log


@pytest.mark.parametrize(
    ("expression", "content"),
    [
        ("{'error': ValueError('no such column')}", {"error": "no such column"}),
        ("{'result': [1], 'errors': [KeyError()]}", {"result": [1], "errors": ["KeyError"]}),
    ],
)
def test_an_exception_within_a_result_is_its_text_and_its_origin_is_in_the_log(serve, expression, content) -> None:
    odd = serve(SCRIPT)
    answer = odd.score(expression)
    assert (answer.status, answer.json) == (200, content)
    odd.stop()
    assert "The result of run() holds an exception" in odd.log and "Error" in odd.log


@pytest.mark.parametrize(
    ("message", "body", "content_type"),
    [
        ("[1, 2]", b"[1, 2]", "application/json"),
        ("[{'a': 1}]", b'[{"a": 1}]', "application/json"),
        ("({'image': 'x'}, 200)", b'[{"image": "x"}, 200]', "application/json"),
        ("{'a': 1}", b'{"a": 1}', "application/json"),
        ("{3, 1}", b"[1, 3]", "application/json"),
        ("1.5", b"1.5", "application/json"),
        ("True", b"true", "application/json"),
        ("[]", b"[]", "application/json"),
        ("['a', b'b']", b"ab", "text/html; charset=utf-8"),
        ("bytearray(b'x')", b"x", "text/html; charset=utf-8"),
        ("(c for c in 'ab')", b"ab", "text/html; charset=utf-8"),
        ("[1], 200, {'Content-Type': 'text/x'}", b"[1]", "text/x"),
    ],
)
def test_values_in_a_response_are_json_and_pieces_are_joined(odd, message, body, content_type) -> None:
    answer = odd.score(f"AMLResponse({message})")
    assert (answer.status, answer.body, answer.headers["Content-Type"]) == (200, body, content_type)


@pytest.mark.parametrize(
    ("pieces", "said"),
    [("(1 // 0 for _ in 'a')", "ZeroDivisionError"), ("(i for i in range(3))", "text or bytes, not int")],
)
def test_an_iterator_that_fails_before_its_first_piece_is_a_500(serve, pieces, said) -> None:
    odd = serve(SCRIPT)
    answer = odd.score(f"AMLResponse({pieces}, 200)")
    assert (answer.status, answer.headers["x-ms-run-function-failed"]) == (500, "True")
    assert answer.json["code"] == "run_failed"
    assert odd.score("AMLResponse(iter(()), 200)").body == b""
    odd.stop()
    assert said in odd.log
    assert json.loads(answer.body)

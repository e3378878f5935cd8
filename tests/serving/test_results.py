"""What becomes of results that JSON does not know, and of NaN (pain 29)."""

from __future__ import annotations

import json
import math

import pytest

from .interpreters import environment

HEAD = """
import datetime, decimal, uuid, enum, pathlib, collections
try:
    import numpy as np
    import pandas as pd
except ImportError:
    pass
def init(): pass
def run(data): return eval(data)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("np.float64(1.5)", 1.5),
        ("np.float32(0.5)", 0.5),
        ("np.int64(3)", 3),
        ("np.bool_(True)", True),
        ("np.str_('a')", "a"),
        ("np.arange(3)", [0, 1, 2]),
        ("np.array([[1.5, 2], [3, 4]])", [[1.5, 2.0], [3.0, 4.0]]),
        ("np.array(7)", 7),
        ("{'a': np.array([1]), 'b': [np.int8(1)]}", {"a": [1], "b": [1]}),
        ("{np.int64(1): 2, (1, 2): 3}", {"1": 2, "(1, 2)": 3}),
        ("np.array(['a', 'b'])", ["a", "b"]),
        ("np.array(['2020-01-02'], dtype='datetime64[D]')", ["2020-01-02"]),
        ("np.datetime64('NaT')", None),
        ("np.timedelta64(1500, 'ms')", 1.5),
        ("pd.DataFrame({'a': [1, 2], 'b': ['x', None]})", [{"a": 1, "b": "x"}, {"a": 2, "b": None}]),
        ("pd.Series([1, 2])", [1, 2]),
        ("pd.Index(['a'])", ["a"]),
        ("pd.Timestamp('2020-01-02T03:04:05')", "2020-01-02T03:04:05"),
        ("[pd.NaT, pd.NA]", [None, None]),
        ("pd.Series([1, None], dtype='Int64')", [1, None]),
        ("pd.DataFrame({'t': [pd.Timestamp('2020-01-01'), None]})", [{"t": "2020-01-01T00:00:00"}, {"t": None}]),
        ("pd.Timedelta(seconds=2)", 2.0),
        ("datetime.datetime(2020, 1, 2, 3, 4, 5)", "2020-01-02T03:04:05"),
        ("datetime.date(2020, 1, 2)", "2020-01-02"),
        ("datetime.time(3, 4)", "03:04:00"),
        ("datetime.timedelta(minutes=1)", 60.0),
        ("b'\\x00\\xff'", "AP8="),
        ("bytearray(b'a')", "YQ=="),
        ("{3, 1, 2}", [1, 2, 3]),
        ("frozenset('a')", ["a"]),
        ("(1, (2,))", [1, [2]]),
        ("range(3)", [0, 1, 2]),
        ("collections.deque([1])", [1]),
        ("{'a': 1}.keys()", ["a"]),
        ("decimal.Decimal('1.5')", 1.5),
        ("uuid.UUID(int=0)", "00000000-0000-0000-0000-000000000000"),
        ("pathlib.PurePosixPath('/a')", "/a"),
        ("enum.Enum('E', {'X': 4}).X", 4),
    ],
)
def test_values_are_encoded_by_the_documented_rules(numbers, expression: str, expected: object) -> None:
    answer = numbers.score(expression)
    assert answer.status == 200, answer.body
    assert answer.json == expected


@pytest.fixture(scope="module")
def numbers(tmp_path_factory):
    from .running import Server, write_script

    folder = tmp_path_factory.mktemp("numbers")
    python = environment("3.13", "numpy", "pandas")
    server = Server("--entry-script", write_script(folder, HEAD), "--python", python, cwd=folder).wait_listening()
    yield server
    server.stop()


@pytest.mark.parametrize(
    "expression", ["object()", "lambda: 1", "{'a': complex(1, 2)}", "(lambda l: l.append(l) or l)([])"]
)
def test_what_has_no_json_form_is_an_error_that_says_so(serve, expression: str) -> None:
    answer = serve(HEAD).score(expression)
    assert (answer.status, answer.json["code"]) == (500, "result_not_encodable")
    assert "cannot be encoded" in answer.json["message"] and answer.json["hint"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("pd.concat([pd.DataFrame({'a': [1], 'b': [2]}), pd.DataFrame({'a': [3]})], axis=1)", "name 'a'"),
        ("{'rows': [pd.DataFrame([[1, 2]], columns=['x', 'x'])]}", "name 'x'"),
        ("{np.datetime64('2020-01-01'): 1, '2020-01-01': 2}", "one and the same text"),
    ],
)
def test_a_result_that_would_lose_values_is_an_error(numbers, expression: str, said: str) -> None:
    answer = numbers.score(expression)
    assert (answer.status, answer.json["code"]) == (500, "result_not_encodable")
    assert said in answer.json["message"]


RESULT = "{'a': [1.0, float('nan')], 'b': float('inf'), 'c': -float('inf'), 'd': 'NaN'}"


def test_nan_is_sent_as_python_writes_it_and_said_once(serve) -> None:
    server = serve(HEAD)
    for _ in range(3):
        answer = server.score(RESULT)
    assert answer.body == b'{"a": [1.0, NaN], "b": Infinity, "c": -Infinity, "d": "NaN"}'
    assert math.isnan(json.loads(answer.body)["a"][1])
    server.stop()
    assert server.log.count("not valid JSON") == 1


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("null", {"a": [1.0, None], "b": None, "c": None, "d": "NaN"}),
        ("string", {"a": [1.0, "NaN"], "b": "Infinity", "c": "-Infinity", "d": "NaN"}),
    ],
)
def test_nan_becomes_what_the_setting_says(serve, setting: str, expected: object) -> None:
    answer = serve(HEAD, "--nan", setting).score(RESULT)
    assert answer.json == expected


def test_nan_can_be_an_error_that_names_where(serve) -> None:
    server = serve(HEAD, "--nan", "error")
    answer = server.score(RESULT)
    assert (answer.status, answer.json["code"]) == (500, "result_not_finite")
    assert "nan at ['a'][1]" in answer.json["message"]
    assert server.score("'NaN Infinity'").json == "NaN Infinity"


def test_a_large_result_and_a_large_body(serve) -> None:
    server = serve("def init(): pass\ndef run(data): return data\n")
    text = "x" * 30_000_000
    assert server.score(text).body == b'"' + text.encode() + b'"'

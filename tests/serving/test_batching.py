"""Opt-in batching: the settings mean what they say, and one bad request fails alone (pain 39)."""

from __future__ import annotations

import concurrent.futures
import json
import time

import pytest

from .interpreters import environment
from .running import eventually

PLAIN = """
    import json, time
    calls = []

    def init():
        pass

    def run(raw):
        if raw == "calls": return calls
        rows = json.loads(raw)["data"]
        calls.append(len(rows))
        time.sleep(0.05)
        if any(row == "bad" for row in rows): raise ValueError("bad row")
        return [row * 2 for row in rows]
"""


def together(server, bodies: list, threads: int = 16) -> list:
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        return list(pool.map(server.score, bodies))


def test_waiting_requests_are_joined_and_each_gets_its_own_rows(serve) -> None:
    server = serve(PLAIN, "--max-batch-rows", 8)
    bodies = [{"data": list(range(n, n + n % 3 + 1))} for n in range(60)]
    start = time.monotonic()
    answers = together(server, bodies)
    assert [answer.json for answer in answers] == [[2 * x for x in body["data"]] for body in bodies]
    calls = server.score("calls").json
    assert max(calls) <= 8 and len(calls) < 45 and sum(calls) == sum(len(body["data"]) for body in bodies)
    assert time.monotonic() - start < 60 * 0.05
    metrics = server.get("/metrics").body.decode()
    assert "sendoff_batches_total 0\n" not in metrics


def test_a_bad_request_fails_alone(serve) -> None:
    server = serve(PLAIN, "--max-batch-rows", 16)
    bodies = [{"data": ["bad"]} if n % 7 == 3 else {"data": [n]} for n in range(40)]
    bodies += ["no json", {"other": [1]}, {"data": []}]
    answers = together(server, bodies)
    assert [answer.status for answer in answers[:40]] == [500 if n % 7 == 3 else 200 for n in range(40)]
    assert [answer.status for answer in answers[40:]] == [500, 500, 200]


def test_a_number_that_cannot_be_written_fails_alone(serve) -> None:
    script = PLAIN.replace("[row * 2 for row in rows]", "[10 ** row for row in rows]")
    server = serve(script, "--max-batch-rows", 16)
    powers = [5000 if n % 7 == 3 else n for n in range(30)]  # Python writes no whole number of over 4300 digits
    answers = together(server, [{"data": [power]} for power in powers])
    for power, answer in zip(powers, answers, strict=True):
        if power < 5000:
            assert (answer.status, answer.json) == (200, [10**power])
        else:
            assert (answer.status, answer.json["code"]) == (500, "result_not_encodable")
    text = server.get("/metrics").body.decode()
    assert "sendoff_worker_restarts_total 0\n" in text and "sendoff_batches_total 0\n" not in text


def test_no_request_waits_longer_than_the_setting_for_others(serve) -> None:
    server = serve(PLAIN.replace("0.05", "0"), "--max-batch-rows", 100, "--max-wait-ms", 300)
    start = time.monotonic()
    assert server.score({"data": [1]}).json == [2]
    assert 0.25 < time.monotonic() - start < 0.9
    start = time.monotonic()
    answers = together(server, [{"data": [n]} for n in range(10)])
    assert all(answer.status == 200 for answer in answers)
    assert time.monotonic() - start < 1.5
    assert max(server.score("calls").json) > 1


def test_a_full_batch_does_not_wait(serve) -> None:
    server = serve(PLAIN, "--max-batch-rows", 3, "--max-wait-ms", 5000)
    start = time.monotonic()
    assert server.score({"data": [1, 2, 3]}).json == [2, 4, 6]
    assert server.score({"data": [1, 2, 3, 4]}).json == [2, 4, 6, 8]
    assert time.monotonic() - start < 2


def test_a_script_that_is_not_row_wise_is_noticed(serve) -> None:
    server = serve("""
        import json, time

        def init(): pass

        def run(raw):
            time.sleep(0.02)
            return {"total": sum(json.loads(raw)["data"])}
    """, "--max-batch-rows", 50)  # fmt: skip
    answers = together(server, [{"data": [n, 1]} for n in range(30)])
    assert [answer.json for answer in answers] == [{"total": n + 1} for n in range(30)]
    server.stop()
    assert server.log.count("does not give one result for each row") == 1


def test_a_stuck_batch_is_cut_at_the_deadline(serve) -> None:
    server = serve(
        "import json, time\ndef init(): pass\ndef run(raw):\n    rows = json.loads(raw)['data']\n"
        "    time.sleep(60 if 'stuck' in rows else 0.01)\n    return rows\n",
        *("--max-batch-rows", 8, "--scoring-timeout-ms", 4000),
    )
    answers = together(server, [{"data": ["stuck" if n == 5 else n]} for n in range(12)])
    assert {answer.status for answer in answers} <= {200, 503, 504}
    assert 504 in [answer.status for answer in answers]
    eventually(lambda: server.score({"data": [1]}).json == [1])


@pytest.mark.slow
def test_schema_scripts_are_joined_with_numpy_and_pandas(serve) -> None:
    server = serve("""
        import time
        import numpy as np
        from inference_schema.schema_decorators import input_schema
        from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType
        sizes = []

        def init(): pass

        @input_schema("data", NumpyParameterType(np.array([[1.0, 2.0]])))
        def run(data):
            sizes.append(len(data))
            time.sleep(0.05)
            return {"sum": data.sum(axis=1), "sizes": [max(sizes)] * len(data)}
    """, "--max-batch-rows", 6, "--python", environment("3.13", "inference-schema[numpy-support]"))  # fmt: skip
    answers = together(server, [{"data": [[n, 1]]} for n in range(20)] + [{"data": [[1]]}, {"data": "x"}])
    assert [answer.json["sum"] for answer in answers[:20]] == [[n + 1.0] for n in range(20)]
    assert [answer.status for answer in answers[20:]] == [400, 400]
    assert 1 < json.loads(server.score({"data": [[0, 0]]}).body)["sizes"][0] <= 6


def test_requests_that_come_while_the_first_waits_join_it(serve) -> None:
    server = serve(PLAIN.replace("0.05", "0"), "--max-batch-rows", 4, "--max-wait-ms", 20000)
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = []
        for n in range(4):
            answers.append(pool.submit(server.score, {"data": [n]}))
            time.sleep(0.1)
        assert [answer.result().json for answer in answers] == [[0], [2], [4], [6]]
    assert time.monotonic() - start < 15


def infer(server, name: str, datatype: str, data: list, tag: int, shape: list[int]) -> dict:
    tensor = {"name": name, "shape": shape, "datatype": datatype, "data": data}
    body = json.dumps({"id": str(tag), "inputs": [tensor]})
    return server.request("POST", "/v2/models/ML%20service/infer", body, {"Content-Type": "application/json"}).json


def test_requests_of_the_inference_protocol_join_those_to_score(serve) -> None:
    server = serve(PLAIN, "--max-batch-rows", 8)

    def one(number: int) -> object:
        if number % 2:
            return server.score({"data": [number]}).json
        data = "no json" if number == 20 else json.dumps({"data": [number, "bad"][: 1 + (number == 10)]})
        return infer(server, "raw", "BYTES", [data], number, [1])

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(one, range(40)))
    for number, answer in enumerate(answers):
        if number % 2:
            assert answer == [2 * number]
        elif number in (10, 20):
            assert answer["code"] == "run_failed"
        else:
            assert answer["id"] == str(number)
            assert answer["outputs"] == [{"name": "output", "shape": [1], "datatype": "INT64", "data": [2 * number]}]
    assert infer(server, "raw", "NOTHING", ["x"], 1, [1])["code"] == "tensor_invalid"
    assert infer(server, "input-0", "BYTES", [json.dumps({"data": [7]})], 1, [1])["outputs"][0]["data"] == [14]
    text = server.get("/metrics").body.decode()
    joined = int(text.split("\nsendoff_batched_requests_total ")[1].split()[0])
    assert joined > 20, "hardly any of them joined"
    assert len(server.score("calls").json) < 38


def test_tensors_of_a_schema_script_are_joined(serve) -> None:
    python = environment("3.13", "inference-schema", "numpy", "pandas")
    server = serve(
        """
        import numpy as np, time
        from inference_schema.schema_decorators import input_schema, output_schema
        from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType

        def init(): pass

        @input_schema("data", NumpyParameterType(np.array([[1.0, 2.0]])))
        @output_schema(NumpyParameterType(np.array([1.0])))
        def run(data):
            time.sleep(0.05)
            return data.sum(axis=1)
        """,
        *("--max-batch-rows", 8, "--python", python),
    )
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        asked = list(pool.map(lambda n: infer(server, "data", "FP64", [n, 1.0], n, [1, 2]), range(24)))
    for number, answer in enumerate(asked):
        assert answer["id"] == str(number)
        assert answer["outputs"] == [{"name": "output", "shape": [1], "datatype": "FP64", "data": [number + 1.0]}]
    assert "sendoff_batches_total 0\n" not in server.get("/metrics").body.decode()


def test_what_a_caller_writes_stays_within_its_own_rows(serve) -> None:
    """Rows are joined as they were written: nothing in them can reach into another request's."""
    server = serve(
        """
        import json, time
        texts = []

        def init():
            pass

        def run(raw):
            if raw == "texts": return texts
            texts.append(raw)
            time.sleep(0.02)
            return [str(row) for row in json.loads(raw)["data"]]
        """,
        *("--max-batch-rows", 32),
    )
    odd = [
        ('{"data": [1], "data": [2]}', ["2"]),
        ('{"data": [1]}, {"data": [2]}', None),
        ('{"data": [1], [2]}', None),
        ('{"data": ["]}, {"]}', ["]}, {"]),
        ('{ "data" :[ 1.10 , 1e400 ] }\n', ["1.1", "inf"]),
        ('{"d\\u0061ta": [5]}', ["5"]),
        ('{"data": [[1, 2], {"data": [3]}]}', ["[1, 2]", "{'data': [3]}"]),
        ("{'data': [1]}", None),
        ('{"data": [1]', None),
        ('{"data": [7,]}', None),
        ('{"data": ["\\"], [\\""]}', ['"], ["']),
    ]
    plain = [(json.dumps({"data": [n]}), [str(n)]) for n in range(20)]
    mixed = [pair for both in zip(plain, odd * 2, strict=False) for pair in both]
    answers = together(server, [body for body, _ in mixed])
    for (body, expected), answer in zip(mixed, answers, strict=True):
        assert (answer.status, answer.json if expected else None) == (200 if expected else 500, expected), body
    assert any(text.count(",") > 3 for text in server.score("texts").json)


def test_rows_of_numbers_that_are_no_json_fail_alone_and_others_are_joined_on(serve) -> None:
    """Such rows are told apart from others by their brackets, and read by the script alone."""
    server = serve(
        """
        import json, time
        sizes = []

        def init():
            pass

        def run(raw):
            try:
                if raw == "sizes": return sizes
                rows = json.loads(raw)["data"]
                sizes.append(len(rows))
                time.sleep(0.02)
                return [sum(row) for row in rows]
            except ValueError as error:
                return {"error": type(error).__name__}
        """,
        *("--max-batch-rows", 16),
    )
    failed = {"error": "JSONDecodeError"}
    odd = [
        *[
            (f'{{"data": [{text}]}}', failed)
            for text in ("[1 2]", "[1,]", "[,1]", "[1.2.3]", "[-]", "[1], [2,]", "[01]")
        ],
        ('{"data": [[1, 2], [3]]}', [3, 3]),
        ('{"data": [[1],[2]]}', [1, 2]),
        ('{"data": [[]]}', [0]),
        ('{"data": [[ -1.5e0,\\t2 ]]}'.replace("\\t", "\t"), [0.5]),
        ('{"data":[[1]]}', [1]),
    ]
    plain = [(json.dumps({"data": [[n, 0.5]]}), [n + 0.5]) for n in range(24)]
    mixed = [pair for both in zip(plain, odd * 2, strict=True) for pair in both]
    for (body, expected), answer in zip(mixed, together(server, [body for body, _ in mixed]), strict=True):
        assert (answer.status, answer.json) == (200, expected), body
    for (body, expected), answer in zip(plain, together(server, [body for body, _ in plain]), strict=True):
        assert (answer.status, answer.json) == (200, expected), body
    assert max(server.score("sizes").json[-8:]) > 1, "a malformed request has ended joining for all"
    server.stop()
    assert "does not give one result for each row" not in server.log

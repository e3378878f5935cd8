"""What is stored of requests and of what scripts collect: every record in a file or in a count (pain 47)."""

from __future__ import annotations

import concurrent.futures
import csv
import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from .interpreters import interpreter
from .running import eventually
from .test_metrics import samples

ECHO = """
    import json

    def init():
        pass

    def run(data):
        rows = json.loads(data)["data"]
        return [sum(row) for row in rows]
"""
COLLECTORS = """
    import json
    from azureml.monitoring import ModelDataCollector

    def init():
        global inputs, predictions, signals
        inputs = ModelDataCollector("best_model", designation="inputs", feature_names=["age", "bmi"])
        predictions = ModelDataCollector("best_model", designation="predictions", feature_names=["prediction1"])
        signals = ModelDataCollector("best_model", "signals", ["s"], collection_name="drift")

    def run(data):
        rows = json.loads(data)["data"]
        inputs.collect(rows, "order-7")
        result = [sum(row) for row in rows]
        predictions.collect([[value] for value in result])
        signals.collect(inputs.add_correlations([[1, 2]], {"s": "x"}))
        return result
"""


def files(folder: Path, designation: str = "*") -> list[Path]:
    return sorted(folder.glob(f"*/*/{designation}/*/*/*/*.csv"))


def rows(folder: Path, designation: str) -> list[dict[str, str]]:
    found = []
    for path in files(folder, designation):
        with path.open(newline="") as file:
            found += list(csv.DictReader(file))
    return found


def counts(server, source: str = "capture") -> dict[str, float]:
    found = samples(server)
    said = {
        name: found[f'sendoff_data_{name}{"" if name == "waiting" else "_total"}{{source="{source}"}}']
        for name in ("offered", "stored", "waiting")
    }
    said["dropped"] = sum(
        n for name, n in found.items() if name.startswith(f'sendoff_data_dropped_total{{source="{source}"')
    )
    return said


def settled(server, source: str = "capture") -> dict[str, float]:
    """The counts once nothing is under way."""
    return eventually(lambda: (said := counts(server, source))["waiting"] == 0 and said)


def test_inputs_and_predictions_are_stored_without_any_code(today, serve, tmp_path: Path) -> None:
    server = serve(ECHO, "--data-dir", tmp_path / "data")
    answer = server.score(json.dumps({"data": [[1, 2.5], [3, 4]]}), x_request_id="r-1")
    assert answer.json == [3.5, 7]
    assert settled(server) == {"offered": 1, "stored": 1, "waiting": 0, "dropped": 0}
    given, predicted = rows(tmp_path / "data", "inputs"), rows(tmp_path / "data", "predictions")
    assert [(row["RequestId"], row["RowIndex"], row["0"], row["1"]) for row in given] == [
        ("r-1", "0", "1", "2.5"),
        ("r-1", "1", "3", "4"),
    ]
    assert [(row["RequestId"], row["RowIndex"], row["value"]) for row in predicted] == [
        ("r-1", "0", "3.5"),
        ("r-1", "1", "7"),
    ]
    path = files(tmp_path / "data", "inputs")[0].relative_to(tmp_path / "data")
    assert str(path) == f"ML service/1.0/inputs/{today:%Y/%m/%d}/data.csv"


@pytest.mark.parametrize("version", ["3.6", "3.8", None])
def test_collectors_of_a_script_store_rows_that_join_by_request_id(
    today, start, make_bundle, tmp_path: Path, version: str | None
) -> None:
    bundle = make_bundle(
        COLLECTORS,
        models=[{"name": "best_model", "version": 3, "path": "m"}],
        serving={"collect": {}},
    )
    more = [] if version is None else ["--python", interpreter(version)]
    server = start("--bundle", bundle, "--data-dir", tmp_path / "data", "--data-scope", "sub/rg/ws/svc", *more)
    for number in range(3):
        assert server.score(json.dumps({"data": [[number, 1]]}), x_request_id=f"r{number}").status == 200
    assert settled(server, "collector") == {"offered": 9, "stored": 9, "waiting": 0, "dropped": 0}
    # The script has collectors of its own, so nothing is stored twice.
    assert counts(server)["offered"] == 0
    day = f"{today:%Y/%m/%d}"
    assert sorted(str(path.relative_to(tmp_path / "data")) for path in files(tmp_path / "data")) == [
        f"best_model/3/inputs/{day}/data.csv",
        f"best_model/3/predictions/{day}/data.csv",
        f"best_model/3/signals/{day}/drift.csv",
    ]
    given = {row["RequestId"]: row for row in rows(tmp_path / "data", "inputs")}
    predicted = {row["RequestId"]: row for row in rows(tmp_path / "data", "predictions")}
    assert set(given) == set(predicted) == {"r0", "r1", "r2"}
    assert all(float(predicted[name]["prediction1"]) == float(given[name]["age"]) + 1 for name in given)
    assert given["r2"]["$aml_dc_correlation_id"] == "order-7"
    assert rows(tmp_path / "data", "signals")[0]["s"] == "x"


def test_collectors_of_forked_and_of_batching_workers_are_heard(start, make_bundle, tmp_path: Path) -> None:
    for number, settings in enumerate(({"preload": True, "workers": 2}, {"max_batch_rows": 50})):
        bundle = make_bundle(COLLECTORS, serving={"collect": {"capture": "on"}, **settings})
        server = start("--bundle", bundle, "--data-dir", tmp_path / f"data{number}")
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            assert all(a.status == 200 for a in pool.map(server.score, ['{"data": [[1, 2]]}'] * 20))
        assert settled(server)["stored"] == 20
        found = settled(server, "collector")
        assert found["stored"] == found["offered"] > 0
        folder = tmp_path / f"data{number}"
        kept = [row for path in folder.glob("best_model/default/predictions/*/*/*/*.csv") for row in read(path)]
        assert len(kept) == 20 and {row["prediction1"] for row in kept} == {"3"}


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_collecting_is_off_until_it_is_asked_for_and_says_so(serve) -> None:
    server = serve(COLLECTORS)
    assert server.score(json.dumps({"data": [[1, 1]]})).status == 200
    assert not any(name.startswith("sendoff_data") for name in samples(server))
    server.stop()
    assert server.log.count("it is off, so collect() has no effect") == 1


def test_sent_is_captured_and_dropped_exactly_under_load_with_several_workers(serve, tmp_path: Path) -> None:
    server = serve(
        ECHO, "--data-dir", tmp_path / "data", "--workers", 3, "--capture-sample", 0.6, "--capture-max-body-bytes", 400
    )
    small, large = json.dumps({"data": [[1, 2]]}), json.dumps({"data": [[1.25] * 200]})
    bodies = [small] * 1500 + [large] * 100
    random.Random(4).shuffle(bodies)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(server.score, bodies))
    assert all(answer.status == 200 for answer in answers)
    assert server.score("{}").status == 500  # a request that failed has no prediction: it is not offered
    said = settled(server)
    assert said["offered"] == 1600 == said["stored"] + said["dropped"]
    found = samples(server)
    unsampled = found['sendoff_data_dropped_total{source="capture",reason="not_sampled"}']
    assert 500 < unsampled < 780
    assert 20 < found['sendoff_data_dropped_total{source="capture",reason="too_large"}'] < 100
    ids = [row["RequestId"] for row in rows(tmp_path / "data", "inputs")]
    assert len(ids) == len(set(ids)) == said["stored"]
    assert set(ids) == {row["RequestId"] for row in rows(tmp_path / "data", "predictions")}
    server.stop()
    kept = [json.loads(path.read_text())["capture"] for path in (tmp_path / "data" / ".counts").glob("*.json")]
    assert len(kept) == 1 and kept[0]["offered"] == 1600 and kept[0]["stored"] == said["stored"]
    assert sum(kept[0]["dropped"].values()) == said["dropped"]


def test_values_are_redacted_by_name_and_by_path(serve, tmp_path: Path) -> None:
    script = """
        import json
        def init(): pass
        def run(data):
            return json.dumps({"ssn": "123-45", "score": 1, "who": {"email": "a@b"}})
    """
    more = ["--capture-redact", "ssn", "--capture-redact", "$.data[*].card", "--capture-redact", "$.who.email"]
    server = serve(script, "--data-dir", tmp_path / "data", *more)
    server.score(json.dumps({"data": [{"SSN": "123-45-6789", "card": "4111", "age": 40, "note": 'a "b"\nc'}]}))
    settled(server)
    (given,), (predicted,) = rows(tmp_path / "data", "inputs"), rows(tmp_path / "data", "predictions")
    assert given["SSN"] == given["card"] == "[redacted]" and given["age"] == "40" and given["note"] == 'a "b"\nc'
    assert predicted["ssn"] == predicted["who.email"] == "[redacted]" and predicted["score"] == "1"
    everything = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
    assert b"6789" not in everything and b"4111" not in everything and b"a@b" not in everything


def test_a_rule_that_is_no_path_is_refused_at_the_start(start, tmp_path: Path) -> None:
    from .running import write_script

    script = write_script(tmp_path, ECHO)
    server = start("--entry-script", script, "--data-dir", "data", "--capture-redact", "$[", wait=False)
    assert server.wait_end() == 1 and "'$[' is no path such as $.data[*].name" in server.log


def test_a_store_that_cannot_be_written_loses_no_request_and_is_counted(serve, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file stands where the folder should be")
    server = serve(ECHO, "--data-dir", tmp_path / "data")
    for _ in range(50):
        assert server.score('{"data": [[1]]}').json == [1]
    eventually(lambda: "Not a directory" in server.log or "File exists" in server.log)
    assert server.score('{"data": [[2]]}').json == [2]
    said = counts(server)
    assert said["offered"] == 51 and said["stored"] == 0
    # Rows wait for the store to come back.
    (tmp_path / "data").unlink()
    assert settled(server) == {"offered": 51, "stored": 51, "waiting": 0, "dropped": 0}
    assert len(rows(tmp_path / "data", "inputs")) == 51


def test_a_full_disk_loses_no_request_and_leaves_whole_rows(start, tmp_path: Path) -> None:
    from .running import write_script

    script = write_script(tmp_path, ECHO)
    import resource

    # The kernel refuses to let a file grow beyond this, in the middle of a row, as a full disk does.
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, before[1]))
    try:
        server = start("--entry-script", script, "--data-dir", tmp_path / "data", env={"PYTHONDONTWRITEBYTECODE": "1"})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert server.score('{"data": [[0]]}').json == [0]
    # Rows go to the disk as a whole or not at all: some must be there before those that do not fit come together.
    eventually(lambda: counts(server)["stored"] == 1, 60)
    for number in range(1, 300):
        assert server.score(json.dumps({"data": [[number]]})).json == [number]
    eventually(lambda: "File too large" in server.log, 60)
    said = counts(server)
    assert said["offered"] == 300 == said["stored"] + said["dropped"] + said["waiting"]
    server.stop()
    path = next((tmp_path / "data" / ".counts").glob("*.json"))
    # The front waits for its recorder a few seconds; on a slow machine that is still writing then.
    kept = eventually(lambda: (said := json.loads(path.read_text())["capture"])["offered"] == 300 and said, 60)
    assert kept["offered"] == kept["stored"] + kept["dropped"]["write_failed"] and kept["stored"] > 0
    for path in files(tmp_path / "data"):
        assert path.read_bytes().endswith(b"\n") and path.stat().st_size <= 5000
        assert all(None not in row and None not in row.values() for row in csv.DictReader(path.open(newline="")))


def test_a_killed_front_loses_nothing_that_was_a_moment_old(serve, tmp_path: Path) -> None:
    server = serve(ECHO, "--data-dir", tmp_path / "data")
    for number in range(200):
        server.score(json.dumps({"data": [[number]]}))
    time.sleep(0.1)  # records are handed over every 20 ms
    server.process.send_signal(signal.SIGKILL)
    server.wait_end()
    assert eventually(lambda: len(rows(tmp_path / "data", "predictions")) == 200)
    assert {row["0"] for row in rows(tmp_path / "data", "inputs")} == {str(number) for number in range(200)}


def _recorder(server) -> int:
    found = subprocess.run(["pgrep", "-P", str(server.process.pid), "-f", "recording"], capture_output=True, text=True)
    return int(found.stdout.split()[0]) if found.stdout else 0


def test_a_killed_recorder_is_replaced_and_every_record_is_counted(serve, tmp_path: Path) -> None:
    server = serve(ECHO, "--data-dir", tmp_path / "data")
    first = eventually(lambda: _recorder(server))
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        sending = [pool.submit(server.score, json.dumps({"data": [[number]]})) for number in range(400)]
        eventually(lambda: sum(done.done() for done in sending) > 100)
        os.kill(first, signal.SIGKILL)
        assert all(done.result().status == 200 for done in sending)
    assert eventually(lambda: _recorder(server)) != first
    server.score('{"data": [[1000]]}')
    said = settled(server)
    assert said["offered"] == 401 == said["stored"] + said["dropped"]
    found = rows(tmp_path / "data", "inputs")
    assert len(found) >= said["stored"] and found[-1]["0"] == "1000"


def test_a_row_that_a_crash_cut_is_removed_before_the_next_is_written(serve, tmp_path: Path) -> None:
    server = serve(ECHO, "--data-dir", tmp_path / "data")
    server.score('{"data": [[1]]}')
    settled(server)
    server.stop()
    path = files(tmp_path / "data", "inputs")[0]
    path.write_bytes(path.read_bytes() + b'r-9,0,,2026,"half\nof')
    again = serve(ECHO, "--data-dir", tmp_path / "data")
    again.score('{"data": [[2]]}')
    settled(again)
    assert [row["0"] for row in rows(tmp_path / "data", "inputs")] == ["1", "2"]


def test_several_servers_write_without_mixing_rows(serve, tmp_path: Path) -> None:
    servers = [serve(ECHO, "--data-dir", tmp_path / "data") for _ in range(3)]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        for number in range(150):
            pool.submit(servers[number % 3].score, json.dumps({"data": [[number]]}))
    assert sum(settled(server)["stored"] for server in servers) == 150
    assert len(files(tmp_path / "data", "inputs")) == 3
    assert sorted(int(row["0"]) for row in rows(tmp_path / "data", "inputs")) == list(range(150))


def test_bodies_of_other_columns_have_files_of_their_own(serve, tmp_path: Path) -> None:
    server = serve("def init(): pass\ndef run(data): return 1\n", "--data-dir", tmp_path / "data")
    for body in ('{"a": 1}', '{"b": [1, 2]}', "no json", '{"a": 2}'):
        assert server.score(body).status == 200
    assert server.score(b"\x89PNG\0").status == 400  # this script takes text
    settled(server)
    assert sorted(path.name for path in files(tmp_path / "data", "inputs")) == ["data.2.csv", "data.3.csv", "data.csv"]
    texts = [path.read_text().splitlines()[0].split(",")[4:] for path in files(tmp_path / "data", "inputs")]
    assert sorted(texts) == [["a"], ["b"], ["value"]]


def test_a_swap_changes_what_is_captured_and_old_and_new_settings_do_not_mix(
    start, make_bundle, tmp_path: Path
) -> None:
    script = "def init(): pass\ndef run(data): return 1\n"
    bundles = [
        make_bundle(script, models=[{"name": "m", "version": 1, "path": "m"}]),
        make_bundle(
            script, models=[{"name": "m", "version": 2, "path": "m"}], serving={"collect": {"redact": ["ssn"]}}
        ),
        make_bundle(script, models=[{"name": "m", "version": 3, "path": "m"}], serving={"collect": {"capture": "off"}}),
    ]
    server = start("--bundle", bundles[0], "--data-dir", tmp_path / "d", "--revision", "1", control=tmp_path / "c.sock")
    eventually(lambda: server.status()["state"] == "ready")
    for number, bundle in enumerate(bundles, 1):
        if number > 1:
            server.ask("POST", "/swap", {"bundle": str(bundle), "revision": str(number)})
            eventually(lambda number=number: server.status()["revision"] == str(number))
        assert server.score(json.dumps({"ssn": "secret", "n": number})).status == 200
    assert settled(server)["offered"] == 1
    assert [(row["ssn"], row["n"]) for row in rows(tmp_path / "d", "inputs")] == [("[redacted]", "2")]
    assert files(tmp_path / "d", "inputs")[0].relative_to(tmp_path / "d").parts[:2] == ("m", "2")

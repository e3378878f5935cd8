"""From a deployed service to its rows: SDK, command line and files (issue E, point 4)."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from command_line import sendoff, sendoff_process
from serving.running import eventually

from sendoff import LocalWebservice, Model
from sendoff.sdk.exceptions import WebserviceException


def cli(*words, ok=True, run=sendoff):
    done = run(*words)
    assert (done.returncode == 0) == ok, done.stdout + done.stderr
    return done


def send(service, count, first=0):
    for number in range(first, first + count):
        request = urllib.request.Request(
            service.scoring_uri,
            json.dumps({"data": [[number, 1]]}).encode(),
            {"Content-Type": "application/json", "x-request-id": f"r{number}"},
        )
        assert json.load(urllib.request.urlopen(request)) == [number + 1]


@pytest.fixture
def service(ws, model, config):
    settings = LocalWebservice.deploy_configuration(collect_model_data=True)
    service = Model.deploy(ws, "adding", [model], config, settings)
    service.wait_for_deployment()
    return service


def stored(service, count, source="capture"):
    return eventually(lambda: (found := service.data.counts()[source])["stored"] == count and found)


def test_a_service_keeps_its_data_and_shows_it_everywhere(today, service, home):
    send(service, 5)
    assert stored(service, 5) == {"offered": 5, "stored": 5, "dropped": {}}
    files = {one.designation: one for one in service.data.list()}
    assert set(files) == {"inputs", "predictions"}
    assert files["inputs"].path == f"adder/1/inputs/{today:%Y/%m/%d}/data.csv"
    assert files["inputs"].day == str(today)
    on_disk = home / "modeldata/sub/rg/demo/adding" / files["inputs"].path
    assert on_disk.is_file() and on_disk.stat().st_mode & 0o077 == 0
    records = service.data.to_records()
    assert [(one["RequestId"], one["0"], one["1"], one["value"]) for one in records] == [
        (f"r{number}", number, 1, number + 1) for number in range(5)
    ]
    asked = ("service", "data", "show", "-n", "adding", "-w", "demo", "--top", 2, "-o", "json")
    shown = json.loads(cli(*asked, run=sendoff_process).stdout)
    assert [one["value"] for one in shown] == [1, 2]
    listed = cli("service", "data", "list", "-n", "adding", "-w", "demo", "-o", "json")
    assert "requests: 5 offered = 5 stored + 0 dropped" in listed.stderr and len(json.loads(listed.stdout)) == 2

    # Deleting the service leaves its data.
    service.delete()
    assert len(service.data.list()) == 2
    assert service.data.counts()["capture"]["stored"] == 5


def test_export_writes_csv_json_lines_and_parquet(today, service):
    send(service, 4)
    stored(service, 4)
    for name in ("out.csv", "out.jsonl", "out.parquet"):
        cli("service", "data", "export", "-n", "adding", "-w", "demo", "--from", today, "--to", today, "-f", name)
    with open("out.csv", newline="") as file:
        assert [row["value"] for row in csv.DictReader(file)] == ["1", "2", "3", "4"]
    lines = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    assert [line["value"] for line in lines] == [1, 2, 3, 4] and lines[0]["$aml_dc_correlation_id"] is None
    from pyarrow import parquet

    table = parquet.read_table("out.parquet")
    assert table.column("value").to_pylist() == [1, 2, 3, 4] and str(table.schema.field("RequestId").type) == "string"
    assert service.data.export("predictions.csv", designation="predictions") == 4
    wrong = cli(
        "service", "data", "export", "-n", "adding", "-w", "demo", "--from", "2999-01-01", "-f", "x.csv", ok=False
    )
    assert "no such data" in wrong.stderr and not Path("x.csv").exists()


def test_settings_change_by_an_update_and_nothing_is_built_anew(service):
    send(service, 2)
    stored(service, 2)
    done = cli("service", "update", "-n", "adding", "-w", "demo", "--capture-redact", "$.data[*][0]")
    assert "resolving" not in done.stderr.lower()
    send(service, 1, first=7)
    stored(service, 3)
    assert [one["0"] for one in service.data.to_records("inputs")] == [0, 1, "[redacted]"]
    cli("service", "update", "-n", "adding", "-w", "demo", "--md", "false")
    send(service, 3, first=20)
    time.sleep(0.6)
    assert service.data.counts()["capture"]["offered"] == 3
    cli("service", "update", "-n", "adding", "-w", "demo", "--md", "true")
    send(service, 1, first=30)
    stored(service, 4)
    assert "[redacted]" in str(service.data.to_records("inputs", model="adder")[-1])  # the rule has stayed


def test_a_bad_rule_names_the_field_before_anything_starts(ws, model, config):
    with pytest.raises(WebserviceException, match=re.escape("data_collection.sample")):
        settings = LocalWebservice.deploy_configuration(data_collection={"sample": 2})
        Model.deploy(ws, "wrong", [model], config, settings)
    missing = cli("service", "data", "list", "-n", "wrong", "-w", "demo", ok=False)
    assert "there is no service 'wrong' in workspace 'demo', and no data of one" in missing.stderr


def test_old_days_can_be_deleted(today, service, home):
    send(service, 1)
    stored(service, 1)
    old = home / "modeldata/sub/rg/demo/adding/adder/1/inputs/2020/01/02"
    old.mkdir(parents=True)
    (old / "data.csv").write_text("RequestId,RowIndex,$aml_dc_correlation_id,$aml_dc_scoring_timestamp,a\nr,0,,t,1\n")
    assert {one.day for one in service.data.list()} == {str(today), "2020-01-02"}
    cli("service", "data", "delete", "-n", "adding", "-w", "demo", "--before", "2020-06-01")
    assert {one.day for one in service.data.list()} == {str(today)} and not old.exists()
    assert "say what to delete" in cli("service", "data", "delete", "-n", "adding", "-w", "demo", ok=False).stderr


@pytest.fixture
def bucket(monkeypatch):
    """A real S3-compatible server (moto's), in a process of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for name, value in (("ACCESS_KEY_ID", "k"), ("SECRET_ACCESS_KEY", "s"), ("DEFAULT_REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    endpoint = f"http://127.0.0.1:{port}"

    def up():
        assert process.poll() is None
        try:
            with urllib.request.urlopen(urllib.request.Request(f"{endpoint}/data", method="PUT"), timeout=5):
                return True
        except OSError:
            return False

    eventually(up, 60)
    monkeypatch.setenv("SENDOFF_DATA_STORE", "s3://data/prefix")
    monkeypatch.setenv("SENDOFF_DATA_STORE_ENDPOINT", endpoint)
    yield process, endpoint
    process.kill()
    process.wait()


def test_files_are_copied_to_an_s3_bucket_and_read_from_there(today, bucket, service, home):
    _, endpoint = bucket
    send(service, 3)
    stored(service, 3)
    cli("service", "data", "copy", "-n", "adding", "-w", "demo", run=sendoff_process)
    key = f"prefix/modeldata/sub/rg/demo/adding/adder/1/inputs/{today:%Y/%m/%d}/data.csv"
    import fsspec

    system = fsspec.filesystem("s3", endpoint_url=endpoint)
    assert system.cat_file(f"data/{key}") == (home / key.removeprefix("prefix/")).read_bytes()
    service.delete()
    cli("service", "data", "delete", "-n", "adding", "-w", "demo", "--all", run=sendoff_process)
    assert {one.where for one in service.data.list()} == {"s3://data/prefix"}
    assert [one["value"] for one in service.data.to_records()] == [1, 2, 3]


def test_a_dead_bucket_costs_no_request_and_says_so(bucket, service):
    process, _ = bucket
    process.send_signal(signal.SIGKILL)
    process.wait()
    send(service, 3)
    folder = Path(os.environ["SENDOFF_HOME"]) / "modeldata/sub/rg/demo/adding"
    eventually(lambda: len(list(folder.rglob("data.csv"))) == 2)
    failed = cli("service", "data", "copy", "-n", "adding", "-w", "demo", ok=False, run=sendoff_process)
    assert "s3://data/prefix cannot be used" in failed.stderr
    assert "files stay on this machine until they are copied" in failed.stderr
    listed = cli("service", "data", "list", "-n", "adding", "-w", "demo", "-o", "json", run=sendoff_process)
    assert len(json.loads(listed.stdout)) == 2 and "Trouble: the store of collected data" in listed.stderr
    assert len(service.data.to_records()) == 3
    send(service, 2, first=3)

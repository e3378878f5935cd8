"""Datastores and datasets as SDK v1's code uses them (spec/surface.md sec. 2.14, spec/usage-frequency.md)."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
from datetime import datetime
from pathlib import Path

import article
import pytest

from sendoff import Dataset, Datastore, Workspace
from sendoff.errors import AlreadyExists, MissingExtra, NotFound, NotSupported
from sendoff.sdk.data.reference import DataPath
from sendoff.sdk.data.types import DataType, FileEncoding, PromoteHeadersBehavior
from sendoff.sdk.exceptions import UserErrorException

FACADE = Path(__file__).parents[2] / "packages" / "azureml" / "src"
CSV = "name,size\na,1\nb,2\nc,3\n"


@pytest.fixture
def store(ws):
    Path("t.csv").write_text(CSV)
    datastore = ws.get_default_datastore()
    datastore.upload_files(["t.csv"], target_path="tables", show_progress=False)
    return datastore


def test_the_articles_sample_makes_a_dataset_of_a_hundred_bodies(ws):
    sample = next(block for block in article.python_blocks() if "sample_request_data" in block)
    ws.write_config()
    code = f"from azureml.core import Workspace\nws = Workspace.from_config()\n{sample}\n{sample}\n" + (
        "print(sample_request_data.version, len(sample_request_data.to_pandas_dataframe()))\n"
        "print(sample_request_data.to_pandas_dataframe()['Column1'][0])\n"
        "assert Dataset.get_by_name(workspace=ws, name='sample_request_data').id == sample_request_data.id\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(FACADE)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *_, facts, body = done.stdout.splitlines()
    assert facts == "2 100"
    assert json.loads(body)["data"][0] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]


def test_every_workspace_has_a_default_datastore_that_can_be_changed(ws):
    assert set(ws.datastores) == {"workspaceblobstore", "workspacefilestore"}
    assert ws.get_default_datastore().name == Datastore.get_default(ws).name == "workspaceblobstore"
    Datastore.get(ws, "workspacefilestore").set_as_default()
    assert Datastore(ws).name == "workspacefilestore"
    ws.set_default_datastore("workspaceblobstore")
    assert Datastore(ws).name == "workspaceblobstore"
    with pytest.raises(UserErrorException, match="no datastore 'workspacblobstore'") as caught:
        Datastore.get(ws, "workspacblobstore")
    assert "Did you mean 'workspaceblobstore'" in str(caught.value)


def test_files_go_up_and_come_down_and_are_replaced_only_when_asked(ws, capsys):
    Path("in/deep").mkdir(parents=True)
    Path("in/a.txt").write_text("one")
    Path("in/deep/b.bin").write_bytes(bytes(range(256)))
    store = ws.get_default_datastore()
    assert store.upload("in", target_path="up").path_on_datastore == "up"
    Path("in/a.txt").write_text("two")
    store.upload_files(["in/a.txt", "in/deep/b.bin"], relative_root="in", target_path="up")
    assert "Target already exists. Skipping upload for up/a.txt" in capsys.readouterr().out
    assert store.download("out", prefix="up") == 2
    assert Path("out/up/a.txt").read_text() == "one"
    assert Path("out/up/deep/b.bin").read_bytes() == bytes(range(256))
    store.upload("in", target_path="up", overwrite=True)
    assert store.download("out", prefix="up/*.txt", overwrite=True) == 1
    assert Path("out/up/a.txt").read_text() == "two"
    assert store.download("out") == 0
    with pytest.raises(UserErrorException, match="cannot be a file"):
        store.upload_files(["in/a.txt"], target_path="up/a.txt")
    with pytest.raises(UserErrorException, match="leaves its folder"):
        store.upload_files(["in/a.txt"], target_path="../up")
    with pytest.raises(UserErrorException, match=r"nothing\.txt is no file"):
        store.upload_files(["nothing.txt"])


def test_a_dataset_has_versions_and_is_found_by_name_and_id(ws, store):
    made = Dataset.Tabular.from_delimited_files((store, "tables/t.csv"))
    assert (made.id, made.name, made.version) == (None, None, None)
    first = made.register(ws, "t", description="three", tags={"k": 1})
    with pytest.raises(AlreadyExists, match="version 1") as caught:
        made.register(ws, "t")
    assert isinstance(caught.value, UserErrorException)
    assert "create_new_version=True" in caught.value.hint
    second = made.take(2).register(ws, "t", create_new_version=True)
    assert (first.version, second.version) == (1, 2)
    assert Dataset.get_by_name(ws, "t").to_records() == [{"name": "a", "size": 1}, {"name": "b", "size": 2}]
    assert len(Dataset.get_by_name(ws, "t", version=1).to_records()) == 3
    assert Dataset.get_by_id(ws, first.id).tags == {"k": "1"}
    assert ws.datasets["t"].version == 2
    assert Dataset.get_all(ws).keys() == {"t"}
    with pytest.raises(NotFound, match="no version '9'"):
        Dataset.get_by_name(ws, "t", version=9)
    with pytest.raises(UserErrorException, match="no dataset 'u"):
        Dataset.get_by_name(ws, "u")


def test_tags_change_and_a_name_can_be_forgotten(ws, store):
    made = Dataset.Tabular.from_delimited_files((store, "tables/t.csv")).register(ws, "t")
    made.add_tags({"a": "1", "b": "2"}).remove_tags(["a"])
    made.update(description="new")
    again = Dataset.get_by_name(ws, "t")
    assert (again.tags, again.description) == ({"b": "2"}, "new")
    made.unregister_all_versions()
    assert ws.datasets == {}
    assert store.download("out") == 1


def test_a_dataset_of_a_datastore_sees_what_is_there_when_it_is_read(ws, store):
    made = Dataset.Tabular.from_delimited_files([(store, "tables/*.csv")]).register(ws, "t")
    Path("u.csv").write_text("name,size\nd,4\n")
    store.upload_files(["u.csv"], target_path="tables", show_progress=False)
    assert [row["name"] for row in made.to_records()] == ["a", "b", "c", "d"]


def test_local_files_and_addresses_are_copied_in_when_the_dataset_is_made(ws):
    Path("d").mkdir()
    Path("d/t.csv").write_text(CSV)
    made = Dataset.Tabular.from_delimited_files("d/*.csv").register(ws, "local")
    Path("d/t.csv").unlink()
    assert len(Dataset.get_by_name(ws, "local").to_records()) == 3
    assert "d/*.csv" in repr(made)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/t.csv" else 404)
            self.end_headers()
            self.wfile.write(CSV.encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        address = f"http://127.0.0.1:{server.server_port}"
        made = Dataset.Tabular.from_delimited_files(f"{address}/t.csv")
        with pytest.raises(UserErrorException, match="cannot be fetched"):
            Dataset.Tabular.from_delimited_files(f"{address}/missing.csv")
    finally:
        server.shutdown()
        server.server_close()
    assert len(made.to_records()) == 3
    with pytest.raises(UserErrorException, match=r"no file at nowhere\.csv"):
        Dataset.Tabular.from_delimited_files("nowhere.csv")


def test_a_data_frame_comes_out_with_types_and_goes_in(ws, store):
    import pandas

    frame = Dataset.Tabular.from_delimited_files(store.path("tables/t.csv")).to_pandas_dataframe()
    assert list(frame.columns) == ["name", "size"]
    assert frame["size"].sum() == 6
    made = Dataset.Tabular.register_pandas_dataframe(
        pandas.DataFrame({"when": [datetime(2020, 4, 1)], "x": [1.5]}),
        (store, "frames"),
        "frame",
    )
    again = Dataset.get_by_name(ws, "frame").to_pandas_dataframe()
    assert made.version == 1
    assert again["x"][0] == 1.5
    assert again["when"][0].year == 2020


def test_without_pandas_the_install_line_is_said(ws, store, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    made = Dataset.Tabular.from_delimited_files((store, "tables/t.csv"))
    with pytest.raises(MissingExtra, match="needs pandas") as caught:
        made.to_pandas_dataframe()
    assert caught.value.hint == "pip install 'sendoff-ml[pandas]'"
    assert len(made.to_records()) == 3


def test_arguments_of_sdk_v1(ws, store):
    made = Dataset.Tabular.from_delimited_files(
        path=DataPath(store, "tables/t.csv"),
        validate=False,
        header=PromoteHeadersBehavior.NO_HEADERS,
        encoding=FileEncoding.LATIN1,
        set_column_types={"Column2": DataType.to_string()},
    )
    assert made.to_records()[1] == {"Column1": "a", "Column2": "1"}
    kept = made.keep_columns("Column2").skip(1)
    assert kept.to_records() == [{"Column2": "1"}, {"Column2": "2"}, {"Column2": "3"}]
    with pytest.raises(UserErrorException, match="no file at 'nothing'"):
        Dataset.Tabular.from_delimited_files((store, "nothing"))
    for wrong, said in (
        ({"separator": ";;"}, "one character"),
        ({"encoding": "klingon"}, "encoding"),
        ({"header": "x"}, "header"),
    ):
        with pytest.raises(UserErrorException, match=said):
            Dataset.Tabular.from_delimited_files((store, "tables/t.csv"), **wrong)


def test_files_come_as_files(ws, store):
    Path("img").mkdir()
    for n in range(3):
        Path(f"img/{n}.jpg").write_bytes(bytes([n]) * 10)
    made = Dataset.File.upload_directory("img", (store, "pictures"), pattern="*.jpg", show_progress=False)
    assert made.to_path() == ["/pictures/0.jpg", "/pictures/1.jpg", "/pictures/2.jpg"]
    registered = made.take(2).register(ws, "pictures")
    assert registered.download("got") == ["got/pictures/0.jpg", "got/pictures/1.jpg"]
    assert Path("got/pictures/1.jpg").read_bytes() == b"\1" * 10
    with pytest.raises(UserErrorException, match="exists already"):
        registered.download("got")
    assert len(Dataset.File.from_files("img").to_path()) == 3


def test_what_is_not_there_says_what_to_do_instead(ws, store):
    made = Dataset.Tabular.from_delimited_files((store, "tables/t.csv"))
    for use in (
        lambda: made.to_spark_dataframe(),
        lambda: made.mount("stream"),
        lambda: made.random_split(0.5),
        lambda: Dataset.Tabular.from_sql_query("select 1"),
        lambda: Datastore.register_azure_blob_container(ws, "x", "y", "z"),
        lambda: store.path().as_upload(),
        lambda: Dataset.Tabular.from_delimited_files((store, "tables/t.csv"), partition_format="{year}"),
    ):
        with pytest.raises(UserErrorException) as caught:
            use()
        assert caught.value.hint
    with pytest.raises(NotSupported):
        Dataset()


def test_a_workspace_with_datasets_or_files_is_not_deleted(ws, store):
    Dataset.Tabular.from_delimited_files((store, "tables/t.csv")).register(ws, "t")
    with pytest.raises(Exception, match="1 datasets and 1 datastore files"):
        ws.delete()
    ws.datasets["t"].unregister_all_versions()
    ws._client.remove_datastore_files("demo", "workspaceblobstore", "tables")
    ws.delete()
    assert Workspace.list() == {}


def test_garbage_collection_keeps_what_datasets_and_datastores_have(ws, store, home):
    from sendoff.core import Core

    Path("own.csv").write_text("a\n1\n")
    Path("dropped.csv").write_text("b\n2\n")
    Dataset.Tabular.from_delimited_files("own.csv").register(ws, "own")
    Dataset.Tabular.from_delimited_files("dropped.csv")
    core = Core(home)
    report = core.garbage.collect(grace_seconds=-1.0)
    core.close()
    assert len(report.blobs) == 1
    assert Dataset.get_by_name(ws, "own").to_records() == [{"a": 1}]
    assert store.download("out") == 1

"""The tables of spec/scoring-server.md sec. 1 and 2, row by row: what a start, a variable and a file do."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from .existing_server import OURS, Start, twin
from .running import eventually

__all__ = ["twin"]

SCRIPT = """
    import os, sys, time
    def init(): pass
    def run(data):
        if data == "slow": time.sleep(20)
        if data == "path": return sys.path
        if data == "pid": return os.getpid()
        if data == "cwd": return os.getcwd()
        return os.environ.get(data)
"""
VARIABLES = {
    "AZUREML_LOG_LEVEL": "ERROR",
    "AZUREML_SOURCE_DIRECTORY": "lib",
    "AML_APP_INSIGHTS_ENABLED": "true",
    "AML_APP_INSIGHTS_KEY": "no-uuid",
    "AML_CORS_ORIGINS": "https://a.example , https://b.example",
    "AML_DBG_MODEL_INFO": "1",
    "SCORING_TIMEOUT_MS": "900",
    "SERVER_PORT": "7",
    "SERVER_VERSION_LOG_RESPONSE_ENABLED": "False",
    "SERVICE_NAME": "svc",
    "SERVICE_VERSION": "7.1",
    "SERVICE_PATH_PREFIX": "/pre/fix/",
    "WORKER_COUNT": "2",
}


@pytest.fixture
def plain(twin: Start):
    """A server to which nothing is said but its script."""
    return twin(SCRIPT)


@pytest.fixture
def told(twin: Start):
    """A server to which the variables say all that they can."""
    return twin(SCRIPT, "--model_dir", "model", env=VARIABLES, files={"lib/own.py": "", "model/m.txt": "x"})


# Section 1: Start


def test_start_app_root_is_the_working_directory(plain) -> None:
    assert plain.score("AML_APP_ROOT").json == plain.score("cwd").json == str(plain.folder)


def test_start_entry_script_is_its_real_path(plain) -> None:
    assert plain.score("AZUREML_ENTRY_SCRIPT").json == str(plain.folder.resolve() / "code" / "score.py")


def test_start_model_dir_is_as_given_and_stays_unset_with_a_hint(plain, told) -> None:
    assert plain.score("AZUREML_MODEL_DIR").json is None or plain.score("AZUREML_MODEL_DIR").body == b"{}"
    assert "'AZUREML_MODEL_DIR' has not been set" in plain.log
    assert told.score("AZUREML_MODEL_DIR").json == "model"


def test_start_server_port_is_overwritten(plain, told) -> None:
    for server in (plain, told):
        assert server.score("SERVER_PORT").json == str(server.port)


def test_start_banner_names_the_settings_and_the_routes(plain, told) -> None:
    assert f"Server Port: {plain.port}" in plain.lines and "Worker Count: 1" in plain.lines
    assert "Entry Script Name: " + str(plain.folder.resolve() / "code" / "score.py") in plain.lines
    assert "Application Insights Enabled: false" in plain.lines and "Worker Timeout (seconds): None" in plain.lines
    assert "Model Directory: model" in told.lines and "Worker Count: 2" in told.lines
    assert "CORS for the specified origins: Enabling CORS for " + VARIABLES["AML_CORS_ORIGINS"] in told.lines
    assert f"Score:          POST  127.0.0.1:{plain.port}/score" in plain.lines
    assert f"Liveness Probe: GET   127.0.0.1:{plain.port}/" in plain.lines


def test_start_listens_on_all_addresses(plain) -> None:
    listening = Path("/proc/net/tcp").read_text()
    assert f" 00000000:{plain.port:04X} " in listening


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--no_such_option", "1"), "--entry_script"),  # the help is printed
        (("--worker_count", "0", "--entry_script", "x.py"), "--worker_count"),
        (("--port", "x", "--entry_script", "x.py"), "--port"),
        ((), "--entry_script"),
    ],
)
def test_start_bad_arguments_end_with_1(twin: Start, arguments, said) -> None:
    server = twin(None, *arguments, wait=False)
    assert server.wait_end() == 1
    assert said in server.log and "Traceback" not in server.log


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("import no_such_package\n", "ModuleNotFoundError"),
        ("def init(): raise ValueError('broken')\ndef run(data): pass\n", "User's init function failed"),
        ("def run(data): pass\n", "init()"),
        ("def init(): pass\ndef run(*data): pass\n", "*"),
    ],
)
def test_start_failures_of_the_script_end_with_3(twin: Start, script, said) -> None:
    server = twin(script, wait=False)
    assert server.wait_end() == 3, server.log
    assert said in server.log


def test_start_init_error_logs_the_model_folder(twin: Start) -> None:
    script = "def init(): 1 / 0\ndef run(data): pass\n"
    server = twin(script, "--model_dir", "model", files={"model/deep/m.txt": "x"}, wait=False)
    assert server.wait_end() == 3
    for line in ("model/", "    deep/", "        m.txt"):
        assert any(text.endswith(line) for text in server.lines), line


# Section 2: variables


def test_variable_azureml_source_directory_is_on_the_path(told) -> None:
    path = told.score("path").json
    assert str(told.folder / "lib") in path and str(told.folder) in path
    assert path.index(str(told.folder)) < path.index(str(told.folder / "lib"))


def test_variable_scoring_timeout_ms(told) -> None:
    answer = told.score("slow")
    assert (answer.status, answer.json) == (500, {"message": "Scoring timeout after 900 ms"})
    assert told.score("cwd").status == 200


def test_variable_worker_count(told) -> None:
    def children() -> int:
        task = f"/proc/{told.process.pid}/task/{told.process.pid}/children"
        found = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in Path(task).read_text().split()]
        return sum(b"boot.py" in line or b"azureml_inference_server_http" in line for line in found)

    eventually(lambda: children() == 2)


@pytest.mark.parametrize("version", ["2", "3", "3.1"])
def test_variables_service_name_version_and_path_prefix(told, version) -> None:
    found = told.get(f"/swagger.json?version={version}").json
    assert (found["info"]["title"], found["info"]["version"]) == ("svc", "7.1")
    assert list(found["paths"]) == ["/pre/fix/", "/pre/fix/score", "/pre/fix/swagger.json"]


@pytest.mark.parametrize("version", ["2", "3"])
def test_variables_service_name_and_version_by_default(plain, version) -> None:
    found = plain.get(f"/swagger.json?version={version}").json
    assert (found["info"]["title"], found["info"]["version"]) == ("ML service", "1.0")
    assert list(found["paths"]) == ["/", "/score", "/swagger.json"]


def test_variable_server_version_log_response_enabled(plain, told) -> None:
    for path in ("/", "/score", "/swagger.json"):
        assert re.fullmatch(r"[a-z-]+/[\d.a-z]+", plain.get(path).headers["x-ms-server-version"])
        assert told.get(path).headers["x-ms-server-version"] is None
    assert told.get("/score", x_request_id="x" * 101).headers["x-ms-server-version"] is None
    told.score("cwd")
    assert told.score("cwd").headers["x-ms-server-version"] is None


def test_variable_aml_cors_origins(plain, told) -> None:
    for origin in ("https://a.example", "https://b.example"):
        answer = told.request("POST", "/score", b"cwd", {"Origin": origin})
        assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert told.get("/", Origin="https://c.example").headers["Access-Control-Allow-Origin"] is None
    assert plain.get("/", Origin="https://a.example").headers["Access-Control-Allow-Origin"] is None


def test_variable_app_insights_key_that_is_no_uuid_disables_it(told) -> None:
    assert told.score("AML_APP_INSIGHTS_ENABLED").json == "false"
    assert "Application Insights Enabled: false" in told.lines
    assert "Application Insights has been disabled." in told.lines
    assert "no-uuid" not in told.log


def test_variable_azureml_log_level_changes_nothing(told) -> None:
    assert any(" I [" in line for line in told.lines)


def test_variable_aml_dbg_model_info_is_only_a_warning(plain, told) -> None:
    said = "The debuggability features have been removed"
    assert any(" W [" in line and said in line for line in told.lines)
    assert said not in plain.log


def test_variable_hostname_is_the_scripts_too(twin: Start, plain) -> None:
    assert plain.score("HOSTNAME").json == os.environ.get("HOSTNAME", plain.score("HOSTNAME").json)


def test_variable_seperate_health_endpoint_is_a_second_listener(twin: Start) -> None:
    from .existing_server import _free_port

    health = _free_port()
    env = {"SEPERATE_HEALTH_ENDPOINT": "true", "WORKER_PRELOAD": "true"}
    server = twin(SCRIPT, "--health_port", str(health), env=env)
    port, server.port = server.port, health
    assert server.get("/").body == b"Healthy"
    server.port = port
    assert f"Liveness Probe: GET   127.0.0.1:{health}/" in server.lines
    assert server.score("WORKER_PRELOAD").json == "true"
    assert server.score("HEALTH_PORT").json == str(health)


def test_variable_worker_timeout_ends_the_worker(twin: Start) -> None:
    server = twin(SCRIPT, env={"WORKER_TIMEOUT": "1"})
    before = server.score("pid").json
    try:
        assert server.score("slow").status == 500
    except OSError:
        assert server.side != OURS  # by the version of gunicorn, there may be no answer
    eventually(lambda: server.score("pid").json != before)


@pytest.mark.parametrize("name", ["SCORING_TIMEOUT_MS", "AML_APP_INSIGHTS_LOG"])
def test_variable_of_the_wrong_type_ends_with_3(twin: Start, name) -> None:
    if name != "SCORING_TIMEOUT_MS":
        name = "APP_INSIGHTS_LOG_RESPONSE_ENABLED"
    server = twin(SCRIPT, env={name: "soon"}, wait=False)
    assert server.wait_end() == 3
    assert "Configuration Error" in server.log and name in server.log


# Section 2: files

CONFIG = json.dumps({"SERVICE_NAME": "configured", "SERVICE_VERSION": "9", "SCORING_TIMEOUT_MS": 700})


@pytest.mark.parametrize(
    ("files", "arguments"),
    [
        ({"config.json": CONFIG}, ()),
        ({"code/config.json": CONFIG}, ()),
        ({"config.json": "", "code/config.json": CONFIG}, ()),  # an empty one is none
        ({"other.json": CONFIG, "config.json": '{"SERVICE_NAME": "not this"}'}, ("--config_file", "other.json")),
    ],
    ids=["root", "beside the script", "empty in the root", "named"],
)
def test_file_config_json(twin: Start, files, arguments) -> None:
    server = twin(SCRIPT, *arguments, files=files, env={"SERVICE_VERSION": "8"})
    info = server.get("/swagger.json").json["info"]
    assert (info["title"], info["version"]) == ("configured", "8")  # the environment goes before the file
    assert server.score("slow").json == {"message": "Scoring timeout after 700 ms"}


@pytest.mark.parametrize("text", ["{", '{"SCORING_TIMEOUT_MS": "soon"}'])
def test_file_config_json_that_is_wrong_ends_with_3(twin: Start, text) -> None:
    server = twin(SCRIPT, files={"config.json": text}, wait=False)
    assert server.wait_end() == 3
    assert ("config file" if text == "{" else "SCORING_TIMEOUT_MS") in server.log


def test_file_config_json_unknown_keys_are_a_warning(twin: Start) -> None:
    server = twin(SCRIPT, files={"config.json": '{"NO_SUCH_KEY": 1, "SERVICE_NAME": "x"}'})
    assert server.get("/swagger.json").json["info"]["title"] == "x"
    if server.side == OURS:  # the existing server warns of known keys and stays silent on this one
        assert any(" W [" in line and "NO_SUCH_KEY" in line for line in server.lines)


def test_file_main_py_where_no_script_is_named(twin: Start) -> None:
    files = {"main.py": "def init(): pass\ndef run(data): return 'main'\n", "named.json": "{}"}
    server = twin(None, "--config_file", "named.json", files=files)
    assert server.score("x").json == "main"


def test_file_main_py_that_is_missing_ends_with_3(twin: Start) -> None:
    server = twin(None, "--config_file", "named.json", files={"named.json": "{}"}, wait=False)
    assert server.wait_end() == 3
    assert "No score script found. Expected score script main.py." in server.log


@pytest.mark.parametrize("beside", [False, True])
def test_file_logging_json_replaces_the_configuration(twin: Start, beside) -> None:
    script = """
        import logging
        log = logging.getLogger("mine")
        def init(): pass
        def run(data):
            print("printed", data)
            log.info("informed %s", data)
            log.debug("debugged %s", data)
            return 1
    """
    logging_json = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"bar": {"format": "%(levelname)s|%(name)s|%(message)s"}},
        "handlers": {"out": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "bar"}},
        "loggers": {"azmlinfsrv": {"level": "INFO", "handlers": ["out"], "propagate": False}},
        "root": {"level": "INFO", "handlers": ["out"]},
    }
    server = twin(script, files={"code/logging.json" if beside else "logging.json": json.dumps(logging_json)})
    server.score("x")
    eventually(lambda: [line for line in server.lines if line.startswith("INFO|azmlinfsrv|POST /score 200 ")])
    # The script's lines come by another way than the server's own.
    eventually(lambda: {"INFO|azmlinfsrv.print|printed x", "INFO|mine|informed x"} <= set(server.lines))
    assert "debugged" not in server.log
    assert "INFO|azmlinfsrv.user_script|Invoking user's init function" in server.lines
    where = server.folder / ("code" if beside else "") / "logging.json"
    assert f"Loaded logging config from {where}" in server.log

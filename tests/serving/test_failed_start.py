"""Scripts that cannot be served: told at once, with the user's own line, and exit status 3 (pains 1 to 3)."""

from __future__ import annotations

import re
import socket
import time

import pytest

from .running import write_script


@pytest.fixture
def failing(tmp_path, start):
    def run(text, *arguments, status=3, **more):
        script = write_script(tmp_path, text)
        server = start("--entry-script", script, *arguments, wait=False, **more)
        began = time.monotonic()
        assert server.wait_end() == status, server.log
        assert time.monotonic() - began < 10
        return server.log

    return run


def test_init_that_raises_names_the_line_and_shows_the_model_folder(failing, tmp_path) -> None:
    models = tmp_path / "models" / "m" / "1"
    models.mkdir(parents=True)
    (models / "model.pkl").write_text("x")
    log = failing(
        """
        import os

        def load(path):
            raise FileNotFoundError("no " + path)

        def init():
            load("weights.bin")

        def run(data):
            return data
        """,
        "--model-dir",
        tmp_path / "models",
    )
    assert "User's init function failed: FileNotFoundError: no weights.bin" in log
    assert re.search(r'File ".*score.py", line 5, in load', log)
    assert "/sendoff_serving/worker/" not in log
    assert "models/\n    m/\n        1/\n            model.pkl" in log


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import nothing_of_this_name\n", "ModuleNotFoundError: No module named 'nothing_of_this_name'"),
        ("def init(:\n", "SyntaxError"),
        ("def run(x): return x\n", "has no function init()"),
        ("def init(): pass\n", "has no function run()"),
        ("def init(): pass\ndef run(): return 1\n", "at least one parameter"),
        ("def init(): pass\ndef run(*args): return 1\n", "must not take *args"),
        ("def init(): pass\ndef run(x, **more): return 1\n", "must not take **more"),
        ("def init(): pass\ndef run(x, /): return 1\n", "positional-only"),
        ("def init(): pass\ndef run(request_headers): return 1\n", "at least one parameter"),
        ("def init(): pass\ndef run(a, b): return 1\n", "2 parameters without a default (a, b)"),
        ("import sys\nsys.exit(5)\n", "SystemExit: 5"),
        ("def init(): raise SystemExit\ndef run(x): return x\n", "init function failed: SystemExit"),
        ("import os\nos._exit(9)\n", "died while it loaded the script: it exited with status 9"),
        ("import os, signal\ndef init(): os.kill(os.getpid(), signal.SIGSEGV)\ndef run(x): pass\n", "ended by SIGSEGV"),
    ],
)
def test_a_script_that_cannot_be_loaded_ends_with_status_3(failing, text, message) -> None:
    assert message in failing(text)


def test_a_missing_package_is_named_with_what_to_do(failing) -> None:
    assert "add it to the environment" in failing("import nothing_of_this_name\n")


def test_what_a_script_printed_before_it_failed_is_in_the_log(failing) -> None:
    log = failing("import sys\nprint('to out')\nprint('to err', file=sys.stderr)\nraise RuntimeError('x')\n")
    assert log.count("to out") == 1 and log.count("to err") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--entry-script", "nowhere.py"], "nowhere.py is not a file"),
        ([], "No entry script is given"),
        (["--bundle", "nowhere"], "nowhere is not a bundle"),
        (["--entry-script", "ok.py", "--model-dir", "nowhere"], "nowhere is not a folder"),
        (["--entry-script", "ok.py", "--python", "no-such-python"], "no-such-python is not an executable"),
        (["--entry-script", "ok.py", "--workers", "0"], "--workers"),
        (["--entry-script", "ok.py", "--nan", "never"], "--nan"),
        (["--entry-script", "ok.py", "--unknown"], "--unknown"),
        (["--entry-script", "ok.py", "--host", "256.1.1.1"], "256.1.1.1"),
    ],
)
def test_wrong_arguments_end_with_status_1_and_a_sentence(start, tmp_path, arguments, message) -> None:
    write_script(tmp_path, "def init(): pass\ndef run(x): return x\n", "ok.py")
    server = start(*arguments, wait=False)
    assert server.wait_end() == 1
    assert "error: " in server.log and message in server.log
    assert "Traceback" not in server.log


def test_a_port_in_use_is_told_before_the_script_is_loaded(start, tmp_path) -> None:
    script = write_script(tmp_path, "print('loaded')\ndef init(): pass\ndef run(x): return x\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = start("--entry-script", script, "--port", port, wait=False)
        assert server.wait_end() == 1
    assert f"Port {port} of 127.0.0.1 is in use" in server.log
    assert "loaded" not in server.log


@pytest.mark.parametrize(("name", "value"), [("SCORING_TIMEOUT_MS", "soon"), ("WORKER_COUNT", "-1")])
def test_a_variable_of_the_wrong_type_ends_with_status_3(failing, name, value) -> None:
    log = failing("def init(): pass\ndef run(x): return x\n", env={name: value})
    assert f"Configuration Error: {name}" in log

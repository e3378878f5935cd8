"""What scripts print and log: each line once, with its request's id (pain 33); probes stay out (pain 34)."""

from __future__ import annotations

import json

import pytest

from .running import eventually

SCRIPT = """
    import logging, os, subprocess, sys, threading
    print("at import")
    log = logging.getLogger("mine")

    def init():
        print("in init")
        logging.getLogger("quiet").debug("never")

    def run(data):
        print("printed", data)
        print("to stderr", data, file=sys.stderr)
        log.info("logged %s", data)
        log.warning("warned %s", data)
        os.write(1, b"raw bytes %s\\n" % data.encode())
        subprocess.check_call(["echo", "from a child", data])
        sys.stdout.write("no newline " + data)
        print("two\\nlines", data)
        sys.stdout.buffer.write(b"buffered %s\\n" % data.encode())
        return 1
"""


ROOT = """
    import logging
    {}

    def init():
        logging.info("root info")

    def run(data):
        logging.warning("root warning")
        logging.error("root %s", "error")
        logging.debug("root debug")
        logging.getLogger("mine").critical("of mine")
        return 1
"""


@pytest.mark.parametrize("configured", ["", "logging.basicConfig()", "logging.basicConfig(level=logging.DEBUG)"])
def test_lines_of_the_root_logger_keep_their_level(serve, configured) -> None:
    server = serve(ROOT.format(configured))
    assert server.score("x").status == 200
    server.stop()
    wanted = [("I", "root: root info"), ("W", "root: root warning"), ("E", "root: root error"), ("C", "mine: of mine")]
    wanted += [("D", "root: root debug")] if "DEBUG" in configured else []
    for level, text in wanted:
        lines = [line for line in server.lines if line.endswith(text)]
        assert len(lines) == 1 and f" {level} [" in lines[0] and " sendoff.logging - " in lines[0], (text, lines)
    assert ("root debug" in server.log) == ("DEBUG" in configured)


def test_a_script_that_asks_for_a_format_has_it(serve) -> None:
    server = serve(ROOT.format("logging.basicConfig(format='<%(levelname)s> %(message)s')"))
    assert server.score("x").status == 200
    server.stop()
    assert [line for line in server.lines if line.endswith("<WARNING> root warning") and "sendoff.stderr" in line]
    assert not any("sendoff.logging" in line for line in server.lines)


def test_every_line_is_logged_once_with_its_request(serve) -> None:
    server = serve(SCRIPT)
    assert server.score("A1", x_request_id="id-A").status == 200
    assert server.score("B2", x_request_id="id-B").status == 200
    eventually(lambda: "from a child B2" in server.log and "raw bytes B2" in server.log)
    server.stop()
    for mark, request_id in (("A1", "id-A"), ("B2", "id-B")):
        for text in ("printed", "to stderr", "logged", "warned", "buffered"):
            lines = [line for line in server.lines if f"{text} {mark}" in line]
            assert len(lines) == 1, (text, lines)
            assert f" {request_id} " in lines[0]
        assert sum(f"raw bytes {mark}" in line for line in server.lines) == 1
        assert sum(f"from a child {mark}" in line for line in server.lines) == 1
        assert sum(f"no newline {mark}two" in line for line in server.lines) == 1
    for text in ("at import", "in init"):
        lines = [line for line in server.lines if text in line]
        assert len(lines) == 1 and "00000000-0000-0000-0000-000000000000" in lines[0]
    assert "never" not in server.log
    assert " W [" in next(line for line in server.lines if "warned A1" in line)


def test_a_script_that_sets_up_logging_is_not_logged_twice(serve) -> None:
    server = serve("""
        import logging
        logging.basicConfig(format="mine:%(message)s", level=logging.DEBUG)

        def init(): pass

        def run(data):
            logging.info("through root %s", data)
            logging.getLogger("a.b").debug("through child %s", data)
            return 1
    """)
    server.score("Q")
    server.stop()
    for text in ("through root Q", "through child Q"):
        lines = [line for line in server.lines if text in line]
        assert len(lines) == 1 and f"mine:{text}" in lines[0]


def test_bytes_that_come_in_pieces_are_whole_characters(serve) -> None:
    server = serve("""
        import sys

        def init(): pass

        def run(data):
            for byte in "h\\u00e9 \\u4e2d \\U0001f600\\n".encode():
                sys.stdout.buffer.write(bytes([byte]))
            sys.stdout.buffer.write(b"not \\xff UTF-8\\n")
            return 1
    """)
    server.score("", x_request_id="the-id")
    server.stop()
    for text in ("the-id h\u00e9 \u4e2d \U0001f600", "the-id not \ufffd UTF-8"):
        assert sum(line.endswith(text) for line in server.lines) == 1, server.log


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_is_shown_one_over_the_other_becomes_lines(serve, form) -> None:
    """Progress bars go back to the start of their line; a log has no such thing."""
    server = serve(
        """
        import logging, os, sys

        def init(): pass

        def run(data):
            for part in range(0, 101, 50):
                sys.stderr.write("\\rbar %d%%" % part)
            sys.stderr.write("\\n")
            print("from windows\\r")
            logging.warning("logged\\rover it")
            os.write(1, b"raw\\rover that\\r\\n")
            return 1
        """,
        *("--log-format", form),
    )
    assert server.score("", x_request_id="the-id").status == 200
    eventually(lambda: "over that" in server.log)
    server.stop()
    for text in ("bar 0%", "bar 50%", "bar 100%", "from windows", "logged", "over it", "raw", "over that"):
        if form == "json":
            found = [json.loads(line) for line in server.lines if text in line]
            assert [line["message"].removeprefix("root: ") for line in found] == [text]
        else:
            [line] = [line for line in server.lines if text in line]
            assert line.endswith(text) and " sendoff." in line


def test_prints_of_threads_and_unfinished_lines_reach_the_log(serve) -> None:
    server = serve("""
        import threading

        def init(): pass

        def run(data):
            thread = threading.Thread(target=print, args=("from a thread",))
            thread.start(); thread.join()
            print("unfinished", end="")
            return 1
    """)
    server.score("", x_request_id="one")
    server.score("", x_request_id="two")
    server.stop()
    assert [line.split()[-2:] for line in server.lines if "unfinished" in line] == [
        ["one", "unfinished"],
        ["two", "unfinished"],
    ]
    assert server.log.count("from a thread") == 2


def test_requests_are_in_the_access_log_and_probes_are_not(serve) -> None:
    server = serve("def init(): pass\ndef run(data): return [1]\n")
    for _ in range(3):
        server.get("/")
    server.score("", x_request_id="id-1")
    server.get("/score?x=1", x_request_id="id-2")
    server.get("/none")
    server.stop()
    lines = [line.split(" - ", 1)[1] for line in server.lines if "sendoff.access" in line]
    assert lines[0].startswith("id-1 ") and lines[1].startswith("id-2 ")
    lines = [line.removeprefix("id-1 ").removeprefix("id-2 ") for line in lines]
    assert [line.split()[:3] for line in lines] == [
        ["POST", "/score", "200"],
        ["GET", "/score?x=1", "200"],
        ["GET", "/none", "404"],
    ]
    assert lines[0].split()[3].endswith("ms") and lines[0].split()[4] == "3"


def test_huge_output_neither_blocks_nor_breaks_the_service(serve) -> None:
    server = serve("def init(): pass\ndef run(data):\n    print('y' * 3_000_000)\n    return 1\n")
    for _ in range(5):
        assert server.score("").status == 200


def test_a_log_that_nobody_reads_does_not_stop_scoring(tmp_path) -> None:
    import subprocess
    import sys
    import time

    from .running import Server, write_script

    script = write_script(tmp_path, "def init(): pass\ndef run(data):\n    print('z' * 500_000)\n    return 1\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "sendoff_serving", "--entry-script", str(script), "--port", "0"],
        stdout=subprocess.PIPE,
        cwd=tmp_path,
    )
    try:
        port = 0
        while not port:
            line = process.stdout.readline().decode()
            if line.startswith("Listening"):
                port = int(line.rsplit(":", 1)[1])
        server = Server.__new__(Server)
        server.port = port
        start = time.monotonic()
        for _ in range(40):
            assert server.score("").status == 200
        assert time.monotonic() - start < 30
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_the_log_as_json(serve) -> None:
    import json

    server = serve(
        "def init(): print('in init')\ndef run(data):\n    print('a\"b')\n    return 1\n", "--log-format", "json"
    )
    server.score("", x_request_id="id-1")
    server.stop()
    records = [json.loads(line) for line in server.lines if not line.startswith("Listening")]
    printed = [record for record in records if record["logger"] == "sendoff.stdout"]
    assert [record["message"] for record in printed] == ["in init", 'a"b']
    assert printed[1]["request_id"] == "id-1" and printed[1]["level"] == "INFO" and printed[1]["pid"] > 0
    access = next(record for record in records if record["logger"] == "sendoff.access")
    assert (access["method"], access["target"], access["status"], access["request_id"]) == (
        "POST",
        "/score",
        200,
        "id-1",
    )
    assert access["time"].endswith("Z") and access["milliseconds"] > 0 and access["bytes"] == 1

"""Traces and logs as a collector gets them, and that no collector costs a request (spec/behaviour.md sec. 17.1)."""

from __future__ import annotations

import concurrent.futures
import json
import re
import signal
import socket
import struct
from collections.abc import Iterator

import pytest
from otlp_receiver import Collector

from .running import Server, eventually
from .test_metrics import samples

SCRIPT = """
    import json, logging, time

    def init():
        print("loading")

    def run(data):
        if data == "fail":
            raise KeyError("gone")
        if data == "log":
            try:
                1 / 0
            except ZeroDivisionError:
                logging.getLogger("mine").exception("it went wrong")
            return 1
        print("got", data)
        print(json.dumps({"rows": 3, "big": 1 << 80, "nested": {"a": [1, 2.5, None]}}))
        time.sleep(0.02)
        return {"answer": data}
"""
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
FAST = {"OTEL_BSP_SCHEDULE_DELAY": "50"}


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as found:
        yield found


def to(collector: Collector, **more: str) -> dict[str, str]:
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, **FAST, **more}


def counted(server: Server, what: str, signal_: str) -> float:
    return sum(
        value
        for name, value in samples(server).items()
        if name.startswith(f"sendoff_telemetry_{what}_total") and f'signal="{signal_}"' in name
    )


def test_a_request_is_one_trace_with_queue_run_and_what_the_script_printed(serve, collector) -> None:
    server = serve(SCRIPT, "--service-name", "diabetes", env=to(collector, WORKSPACE_NAME="ws"))
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "vendor=1", "x-request-id": "req-1"}
    assert server.request("POST", "/score?a=b", "hello", headers).status == 200
    span = collector.span(lambda s: s.name == "POST /score")
    assert (span.trace_id, span.parent, span.state, span.kind, span.status) == (TRACE, PARENT, "vendor=1", 2, 0)
    assert span.attributes["http.request.method"] == "POST" and span.attributes["http.response.status_code"] == 200
    assert span.attributes["url.path"] == "/score" and span.attributes["url.query"] == "a=b"
    assert span.attributes["sendoff.request_id"] == "req-1" and span.attributes["sendoff.reason"] == "ok"
    assert span.attributes["http.request.body.size"] == 5
    assert span.resource["service.name"] == "diabetes" and span.resource["service.namespace"] == "ws"
    assert span.resource["telemetry.sdk.language"] == "python" and span.resource["process.pid"] == server.process.pid
    run = collector.span(lambda s: s.name == "run")
    queue = collector.span(lambda s: s.name == "queue")
    for child in (run, queue):
        assert (child.trace_id, child.parent) == (TRACE, span.span_id)
        assert span.start <= child.start <= child.end <= span.end
    assert queue.end <= run.start + 1_000_000
    assert run.end - run.start >= 20_000_000 and span.attributes["sendoff.run_ms"] >= 20
    printed = collector.record(lambda r: r.body == "got hello")
    assert (printed.trace_id, printed.span_id) == (TRACE, span.span_id)
    assert printed.attributes["sendoff.request_id"] == "req-1" and printed.attributes["log.iostream"] == "stdout"
    structure = collector.record(lambda r: isinstance(r.body, dict))
    assert structure.body == {"rows": 3, "big": str(1 << 80), "nested": {"a": [1, 2.5, None]}}
    loading = collector.record(lambda r: r.body == "loading")
    assert loading.trace_id == "" and loading.attributes["sendoff.request_id"] == "0" * 8 + "-0000" * 3 + "-" + "0" * 12
    assert len([r for r in collector.records if r.body == "got hello"]) == 1


def test_what_the_script_raises_or_logs_is_a_record_and_an_event_with_the_traceback(serve, collector) -> None:
    server = serve(SCRIPT, env=to(collector))
    answer = server.request("POST", "/score", "fail", {"x-request-id": "req-2"})
    assert answer.status == 500
    span = collector.span(lambda s: s.attributes.get("sendoff.request_id") == "req-2")
    assert span.status == 2 and span.attributes["error.type"] == "run_failed"
    [(name, facts)] = span.events
    assert name == "exception" and facts["exception.type"] == "KeyError" and facts["exception.message"] == "'gone'"
    assert "score.py" in facts["exception.stacktrace"] and 'raise KeyError("gone")' in facts["exception.stacktrace"]
    record = collector.record(lambda r: "exception.type" in r.attributes)
    assert (record.trace_id, record.span_id, record.severity) == (span.trace_id, span.span_id, "ERROR")
    assert record.attributes["sendoff.request_id"] == "req-2"
    server.request("POST", "/score", "log", {"x-request-id": "req-3"})
    logged = collector.record(lambda r: r.attributes.get("logger.name") == "mine")
    assert logged.body.startswith("it went wrong\nTraceback") and logged.severity == "ERROR"
    assert logged.attributes["exception.type"] == "ZeroDivisionError"
    span = collector.span(lambda s: s.attributes.get("sendoff.request_id") == "req-3")
    assert logged.trace_id == span.trace_id and not span.events


def test_probes_and_scrapes_are_not_told_of_and_refused_requests_are(serve, collector) -> None:
    server = serve(SCRIPT, "--max-body-bytes", 10, env=to(collector))
    for path in ("/", "/health/live", "/health/ready", "/health/startup", "/metrics", "/v2/health/live"):
        assert server.get(path).status == 200
    assert server.score("x" * 50).status == 413
    assert server.get("/nothing").status == 404
    assert server.get("/swagger.json").status == 200
    collector.span(lambda s: s.name == "GET /swagger.json")
    large = collector.span(lambda s: s.attributes["http.response.status_code"] == 413)
    assert large.name == "POST /score"
    assert collector.span(lambda s: s.attributes["http.response.status_code"] == 404).name == "GET"
    assert len(collector.spans) == 3


def test_the_trace_is_given_on_to_the_script(serve, collector) -> None:
    raw = """
        from azureml.contrib.services.aml_request import AMLRequest, rawhttp

        def init(): pass

        @rawhttp
        def run(request): return request.headers["traceparent"]
    """
    server = serve(raw, env=to(collector))
    given = server.request("POST", "/score", "x", {"traceparent": f"00-{TRACE}-{PARENT}-01"}).json
    run = collector.span(lambda s: s.name == "run")
    assert given == f"00-{TRACE}-{run.span_id}-01"
    fresh = server.score("x").json
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-01", fresh) and TRACE not in fresh
    collector.span(lambda s: s.name == "run" and s.span_id == fresh.split("-")[2])


GIVEN_ON = """
    from azureml.contrib.services.aml_request import AMLRequest, rawhttp

    def init(): pass

    @rawhttp
    def run(request):
        return [pair for pair in request.headers if pair[0].lower() in ("traceparent", "tracestate", "baggage")]
"""
VALID = ("traceparent", f"00-{TRACE}-{PARENT}-00")


def given_on(server, *headers: tuple[str, str]) -> dict[str, str]:
    """What a script finds of a trace in its headers, each of which it has once."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    answer = server.raw(
        f"POST /score HTTP/1.1\r\nHost: a\r\n{lines}Content-Length: 0\r\nConnection: close\r\n\r\n".encode()
    )
    pairs = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert len({name.lower() for name, _ in pairs}) == len(pairs)
    return {name.lower(): value for name, value in pairs}


def test_the_callers_tracestate_is_given_on_as_the_standard_says(serve, collector) -> None:
    server = serve(GIVEN_ON, env=to(collector))
    for states, expected in (
        (["foo=1,bar=2"], "foo=1,bar=2"),
        (["foo=1,bar=2", "", "rojo=1"], "foo=1,bar=2,rojo=1"),
        (["foo=1 \t , \t bar=2,,"], "foo=1,bar=2"),
        (["1a-_*/@x=a b!"], "1a-_*/@x=a b!"),
        (["foo=1,foo=2"], "foo=1,foo=2"),
        ([",".join(f"k{number}=1" for number in range(32))], ",".join(f"k{number}=1" for number in range(32))),
        # What is not valid is given up whole.
        (["", ""], None),
        (["foo =1"], None),
        (["FOO=1"], None),
        (["foo=1,@bar=2"], None),
        (["foo=bar=baz,bar=3"], None),
        (["foo=\u00e9"], None),
        (["foo"], None),
        ([",".join(f"k{number}=1" for number in range(33))], None),
        ([f"{'k' * 257}=1"], None),
        ([f"k={'v' * 257}"], None),
    ):
        found = given_on(server, VALID, *(("TraceState", state) for state in states))
        assert found.get("tracestate") == expected, states
        assert found["traceparent"].startswith(f"00-{TRACE}-") and found["traceparent"].endswith("-00")


def test_without_one_valid_traceparent_nothing_of_the_callers_trace_is_given_on(serve, collector) -> None:
    server = serve(GIVEN_ON, env=to(collector))
    other = ("traceparent", f"00-{TRACE[::-1]}-{PARENT}-01")
    for parents in ([], [VALID, other], [VALID, VALID], [("traceparent", f"00-{TRACE}-{'0' * 16}-01")]):
        found = given_on(server, *parents, ("tracestate", "foo=1"), ("baggage", "user=7"))
        assert TRACE not in found["traceparent"] and TRACE[::-1] not in found["traceparent"]
        assert "tracestate" not in found and found["baggage"] == "user=7"


def test_of_the_flags_sampled_and_random_are_given_on(serve, collector) -> None:
    server = serve(GIVEN_ON, env=to(collector))
    for given, expected in (("00", "00"), ("01", "01"), ("02", "02"), ("03", "03"), ("ff", "03"), ("fc", "00")):
        assert given_on(server, ("traceparent", f"00-{TRACE}-{PARENT}-{given}"))["traceparent"][-2:] == expected
    # A version to come has the same fields first.
    assert given_on(server, ("traceparent", f"cc-{TRACE}-{PARENT}-01-more"))["traceparent"].startswith(f"00-{TRACE}-")


def test_without_telemetry_the_callers_headers_are_the_scripts(serve) -> None:
    found = given_on(serve(GIVEN_ON), VALID, ("tracestate", "Not Valid"))
    assert found == {"traceparent": VALID[1], "tracestate": "Not Valid"}


def test_a_caller_that_does_not_sample_decides_and_broken_headers_begin_a_trace(serve, collector) -> None:
    server = serve(SCRIPT, env=to(collector))
    server.request("POST", "/score", "a", {"traceparent": f"00-{TRACE}-{PARENT}-00", "x-request-id": "quiet"})
    for wrong in (f"00-{'0' * 32}-{PARENT}-01", f"ff-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-01-more", "nonsense"):
        server.request("POST", "/score", "b", {"traceparent": wrong})
    eventually(lambda: len([s for s in collector.spans if s.name == "POST /score"]) == 4)
    assert all(span.trace_id != TRACE and not span.parent for span in collector.spans if span.name == "POST /score")
    said = collector.record(lambda r: r.body == "got a")
    assert said.trace_id == TRACE and said.attributes["sendoff.request_id"] == "quiet"


def test_nothing_is_sampled_when_the_sampler_says_so(serve, collector) -> None:
    server = serve(SCRIPT, env=to(collector, OTEL_TRACES_SAMPLER="always_off"))
    server.request("POST", "/score", "a", {"traceparent": f"00-{TRACE}-{PARENT}-01"})
    collector.record(lambda r: r.body == "got a")
    server.stop()
    assert not collector.spans


def test_the_standard_variables_are_honoured(serve, collector) -> None:
    more = {
        "OTEL_EXPORTER_OTLP_HEADERS": "api-key=secret",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        "OTEL_SERVICE_NAME": "renamed",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
        "OTEL_LOGS_EXPORTER": "none",
    }
    server = serve(SCRIPT, env=to(collector, **more))
    server.score("a")
    span = collector.span(lambda s: s.name == "POST /score")
    assert span.resource["service.name"] == "renamed"
    assert span.resource["deployment.environment.name"] == "test"
    assert collector.headers[0]["api-key"] == "secret" and collector.headers[0]["content-encoding"] == "gzip"
    server.stop()
    assert not collector.records


def test_what_is_left_is_delivered_when_the_server_stops(serve, collector) -> None:
    server = serve(SCRIPT, env=to(collector, OTEL_BSP_SCHEDULE_DELAY="60000", OTEL_BLRP_SCHEDULE_DELAY="60000"))
    for number in range(30):
        server.score(str(number))
    assert not collector.spans
    assert server.stop() == 0
    assert len([span for span in collector.spans if span.name == "POST /score"]) == 30
    assert {str(r.body) for r in collector.records} >= {f"got {number}" for number in range(30)}


def test_an_init_that_fails_is_told_before_the_server_ends(serve, collector) -> None:
    server = serve("def init(): raise OSError('no model')\ndef run(data): pass", wait=False, env=to(collector))
    assert server.wait_end() == 3
    record = collector.record(lambda r: r.attributes.get("exception.type") == "OSError")
    assert "no model" in record.attributes["exception.stacktrace"]


def test_a_dead_collector_costs_no_request_and_what_is_dropped_is_counted(serve) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
        server = serve("def init(): pass\ndef run(data): print(data); return data", env=env)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda n: server.score(str(n)).status, range(400)))
        assert answers == [200] * 400
        eventually(
            lambda: counted(server, "dropped", "spans") == 1200 and counted(server, "dropped", "logs") == 400, 60
        )
        assert counted(server, "delivered", "spans") == 0
        assert server.stop() == 0
        assert server.log.count("Spans and log records are not delivered") == 1


def test_a_slow_collector_is_bounded_and_costs_no_request(serve, collector) -> None:
    collector.delay = 30
    more = {"OTEL_BSP_MAX_QUEUE_SIZE": "90", "OTEL_BLRP_MAX_QUEUE_SIZE": "20", "OTEL_BSP_EXPORT_TIMEOUT": "200"}
    server = serve("def init(): pass\ndef run(data): print(data); return data", env=to(collector, **more))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda n: server.score(str(n)).status, range(300))) == [200] * 300
    eventually(lambda: counted(server, "dropped", "spans") >= 900 - 90)
    got = samples(server)
    assert got['sendoff_telemetry_dropped_total{signal="spans",reason="queue_full"}'] == 900 - 90
    assert got['sendoff_telemetry_dropped_total{signal="logs",reason="queue_full"}'] == 300 - 20
    assert server.stop() == 0
    assert "were not delivered within the time to stop" in server.log


def test_a_sender_that_is_killed_is_started_again(serve, collector) -> None:
    import psutil

    server = serve(SCRIPT, env=to(collector))
    server.score("a")
    collector.span(lambda s: s.name == "POST /score")

    def sender() -> psutil.Process | None:
        for child in psutil.Process(server.process.pid).children():
            if any("telemetry/sender.py" in part for part in child.cmdline()):
                return child
        return None

    first = sender()
    assert first is not None
    first.send_signal(signal.SIGKILL)
    first.wait(10)
    assert server.score("b").status == 200
    collector.record(lambda r: r.body == "got b")
    server.stop()
    assert sum(span.name == "POST /score" for span in collector.spans) == 2


def test_without_an_endpoint_nothing_is_started_and_nothing_shown(serve) -> None:
    import psutil

    server = serve(SCRIPT)
    server.score("a")
    assert "sendoff_telemetry" not in server.get("/metrics").body.decode()
    assert not any(
        "telemetry" in part for child in psutil.Process(server.process.pid).children() for part in child.cmdline()
    )


def test_a_client_that_leaves_is_told_of(serve, collector) -> None:
    server = serve("import time\ndef init(): pass\ndef run(data): time.sleep(1)", env=to(collector))
    with socket.create_connection(("127.0.0.1", server.port)) as link:
        link.sendall(b"POST /score HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n1")
        eventually(lambda: samples(server)["sendoff_requests_in_flight"] == 1)
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # gone, not only silent
    span = collector.span(lambda s: s.name == "POST /score")
    assert span.attributes["http.response.status_code"] == 499
    assert span.attributes["error.type"] == "client_gone"


def test_answers_are_on_spans_where_that_is_asked_for(serve, collector) -> None:
    server = serve(SCRIPT, env=to(collector, APP_INSIGHTS_LOG_RESPONSE_ENABLED="true"))
    server.score("a")
    span = collector.span(lambda s: s.name == "POST /score")
    assert json.loads(span.attributes["sendoff.response"]) == {"answer": "a"}
    server.stop()


def test_without_the_extra_the_install_line_is_printed(serve, collector, tmp_path) -> None:
    # A package of that name without what is looked for stands for an environment without the extra.
    (tmp_path / "hidden" / "opentelemetry").mkdir(parents=True)
    (tmp_path / "hidden" / "opentelemetry" / "__init__.py").write_text("")
    hidden = {"PYTHONPATH": str(tmp_path / "hidden")}
    server = serve(SCRIPT, "--otel-endpoint", collector.url, env=hidden, wait=False)
    assert server.wait_end() == 1
    assert "hint: type: pip install 'sendoff-serving[otel]'" in server.log
    server = serve(SCRIPT, env={**to(collector), **hidden})
    assert server.score("a").status == 200
    server.stop()
    assert "pip install 'sendoff-serving[otel]'" in server.log


def test_wrong_settings_are_said(serve, collector) -> None:
    server = serve(SCRIPT, "--otel-endpoint", "collector:4318", wait=False)
    assert server.wait_end() == 1
    assert "--otel-endpoint should be the address of an OTLP/HTTP collector" in server.log
    server = serve(SCRIPT, env=to(collector, OTEL_TRACES_SAMPLER="some", OTEL_EXPORTER_OTLP_PROTOCOL="grpc"))
    server.stop()
    assert "OTEL_TRACES_SAMPLER 'some' is not known" in server.log and "http/protobuf alone" in server.log
    server = serve(SCRIPT, env={"AML_APP_INSIGHTS_ENABLED": "true", "AML_APP_INSIGHTS_KEY": "0" * 8})
    server.stop()
    assert "AML_APP_INSIGHTS_ENABLED is taken as false: AML_APP_INSIGHTS_KEY is not a UUID" in server.log
    key = "00000000-0000-0000-0000-000000000000"
    server = serve(SCRIPT, env={"AML_APP_INSIGHTS_ENABLED": "true", "AML_APP_INSIGHTS_KEY": key})
    server.stop()
    assert "no collector is named: set OTEL_EXPORTER_OTLP_ENDPOINT" in server.log


def test_a_bundle_names_the_collector(start, make_bundle, collector) -> None:
    bundle = make_bundle(
        "def init(): pass\ndef run(data): return data",
        serving={"otel_endpoint": collector.url},
    )
    server = start("--bundle", bundle, env=FAST)
    server.score("a")
    assert collector.span(lambda s: s.name == "POST /score").resource["service.name"] == "svc"


def test_a_targets_file_turns_it_on_and_off_without_a_restart(serve, collector, tmp_path) -> None:
    file = tmp_path / "telemetry.json"

    def write(enabled: bool) -> None:
        content = {
            "schema_version": 1,
            "enabled": enabled,
            "revisions": {},
            "environment": {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, **FAST},
            "attributes": {"sendoff.target": "process"},
        }
        staged = tmp_path / "staged"
        staged.write_text(json.dumps(content))
        staged.replace(file)

    server = serve(SCRIPT, "--telemetry-file", file)
    server.score("before")
    write(True)
    eventually(lambda: "Telemetry is on" in server.log)
    server.score("during")
    span = collector.span(lambda s: s.name == "POST /score")
    assert span.resource["sendoff.target"] == "process"
    write(False)
    eventually(lambda: "Telemetry is off" in server.log)
    server.score("after")
    server.stop()
    assert sum(s.name == "POST /score" for s in collector.spans) == 1
    assert [r.body for r in collector.records if isinstance(r.body, str) and r.body.startswith("got")] == ["got during"]


def test_a_front_that_is_killed_takes_its_sender_with_it_and_what_was_handed_over_arrives(serve, collector) -> None:
    import psutil

    collector.delay = 0.5
    server = serve(SCRIPT, env=to(collector))
    server.score("a")
    eventually(lambda: "got a" in server.log and "/v1/traces" in collector.arrived)
    server.score("b")
    # When its spans are on their way, everything of the request before it was handed over.
    eventually(lambda: collector.arrived.count("/v1/traces") >= 2)
    [sender] = [
        child
        for child in psutil.Process(server.process.pid).children()
        if any("telemetry/sender.py" in part for part in child.cmdline())
    ]
    server.process.kill()
    server.process.wait()
    sender.wait(20)
    assert any(span.name == "POST /score" for span in collector.spans)
    assert any(record.body == "got a" for record in collector.records)

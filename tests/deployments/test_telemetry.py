"""``enable_app_insights`` on real services: what a collector gets and the timeline says (spec/behaviour.md 17.1)."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from deployment_rigs import WS
from otlp_receiver import Collector
from test_real_services import RealRig

from sendoff.spec.deployment import DeploymentSpec
from sendoff.spec.service import UpdateService

TALKS = b"""\
import time


def init():
    with open(LOADED, "a") as file:
        file.write("loaded")


def run(data):
    print("asked for", data)
    if data == '"fail"':
        raise RuntimeError("no luck")
    return data
"""
ON = DeploymentSpec(compute_type="ACI", enable_app_insights=True)


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as found:
        yield found


@pytest.fixture
def real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RealRig]:
    monkeypatch.setenv("SENDOFF_ACI_TARGET", "process")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    rig = RealRig(tmp_path / "home")
    yield rig
    rig.close()


def talking(real: RealRig) -> bytes:
    return TALKS.replace(b"LOADED", repr(str(real.home / "loaded")).encode())


def test_the_flag_turns_it_on_and_off_without_building_anything(
    real: RealRig, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    (real.home / "settings.toml").write_text(f'otel_endpoint = "{collector.url}"\notel_headers = ["api-key=k1"]\n')
    real = reopened(real)
    operation = real.deploy(inference=real.inference(talking(real)), deployment=DeploymentSpec(compute_type="ACI"))
    assert operation.state == "Succeeded", operation
    assert not any("Telemetry" in note for note in operation.notes)
    service = real.deployments.get(WS, "svc")
    real.score(service, "before")
    bundles = sorted(path.name for path in (real.home / "bundles").iterdir())

    operation = real.wait(real.deployments.update(WS, "svc", UpdateService(deployment=ON)))
    assert operation.state == "Succeeded", operation
    assert f"Telemetry goes to {collector.url}." in operation.notes
    assert real.deployments.get(WS, "svc").deployment.enable_app_insights is True
    assert sorted(path.name for path in (real.home / "bundles").iterdir()) == bundles
    assert real.score(service, "during") == '"during"'
    span = collector.span(lambda s: s.name == "POST /score")
    assert span.resource["service.name"] == "svc" and span.resource["service.namespace"] == WS
    assert span.resource["sendoff.target"] == "process" and span.attributes["sendoff.revision"] == "2"
    assert collector.headers[0]["api-key"] == "k1"
    printed = collector.record(lambda r: r.body == 'asked for "during"')
    assert (printed.trace_id, printed.span_id) == (span.trace_id, span.span_id)
    with pytest.raises(OSError, match="500"):
        real.score(service, "fail")
    raised = collector.record(lambda r: r.attributes.get("exception.type") == "RuntimeError")
    assert "score.py" in raised.attributes["exception.stacktrace"] and raised.trace_id
    material_file = real.home / "run" / uid(real) / "access" / "telemetry.json"
    assert material_file.stat().st_mode & 0o777 == 0o600

    # A rollback to the revision before it was on is no reason to stop watching.
    assert real.wait(real.deployments.rollback(WS, "svc", 1)).state == "Succeeded"
    assert real.deployments.get(WS, "svc").deployment.enable_app_insights is True

    off = UpdateService(deployment=DeploymentSpec(enable_app_insights=False))
    assert real.wait(real.deployments.update(WS, "svc", off)).state == "Succeeded"
    seen = len(collector.spans)
    real.score(service, "after")
    time.sleep(0.5)
    assert len(collector.spans) == seen
    assert not any(record.body == 'asked for "before"' for record in collector.records)


def reopened(real: RealRig) -> RealRig:
    """The same home with the settings that it has now."""
    return RealRigAgain(real.home)


class RealRigAgain(RealRig):
    """A home that has its workspace already."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.core = self.another()
        self.store = self.core.store
        self.registry = self.core.registry


def uid(real: RealRig) -> str:
    from sendoff.deployments import service_rows

    with real.store.read() as connection:
        return str(service_rows.get_service(connection, WS, "svc").uid)


def test_without_a_collector_nothing_fails_and_the_timeline_says_what_to_set(
    real: RealRig, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = real.deploy(inference=real.inference(talking(real)), deployment=ON)
    assert operation.state == "Succeeded", operation
    [note] = [note for note in operation.notes if "Telemetry" in note]
    assert "set otel_endpoint in settings.toml (SENDOFF_OTEL_ENDPOINT) or OTEL_EXPORTER_OTLP_ENDPOINT" in note
    service = real.deployments.get(WS, "svc")
    assert real.score(service, "quiet") == '"quiet"'

    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "nonsense")
    operation = real.wait(real.deployments.reload(WS, "svc"))
    assert operation.state == "Succeeded", operation

    # A variable of whoever updates is enough, and holds when the next command's shell lacks it.
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    assert real.wait(real.deployments.reload(WS, "svc")).state == "Succeeded"
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT")
    operation = real.wait(
        real.deployments.update(WS, "svc", UpdateService(deployment=DeploymentSpec(scoring_timeout_ms=9000)))
    )
    assert f"Telemetry goes to {collector.url}." in operation.notes
    real.score(service, "loud")
    collector.record(lambda r: r.body == 'asked for "loud"')


def test_a_collector_on_this_machine_is_named_as_containers_reach_it() -> None:
    from sendoff.deployments.telemetry import _elsewhere

    host = "host.docker.internal"
    assert _elsewhere("http://127.0.0.1:4318", host) == "http://host.docker.internal:4318"
    assert _elsewhere("http://localhost:4318/otlp", host) == "http://host.docker.internal:4318/otlp"
    assert _elsewhere("https://otel.example:4318", host) == "https://otel.example:4318"


def test_the_file_is_json_that_the_server_reads(tmp_path: Path) -> None:
    from sendoff_serving import telemetry_settings

    content = {"enabled": True, "revisions": {"1": False}, "environment": {}, "attributes": {}}
    (tmp_path / "telemetry.json").write_text(json.dumps(content))
    read = telemetry_settings.load(tmp_path / "telemetry.json")
    assert read.on("2") and not read.on("1") and read.settings is None


def test_what_names_the_process_that_deploys_does_not_name_the_service() -> None:
    from sendoff.deployments.telemetry import variables
    from sendoff.spec.settings import Settings

    environ = {
        "OTEL_SERVICE_NAME": "ci-job",
        "OTEL_RESOURCE_ATTRIBUTES": "ci=1",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://elsewhere:4318/v1/traces",
        "OTEL_TRACES_SAMPLER": "always_on",
    }
    found = variables(Settings(otel_endpoint="http://here:4318"), environ)
    assert found == {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://here:4318", "OTEL_TRACES_SAMPLER": "always_on"}

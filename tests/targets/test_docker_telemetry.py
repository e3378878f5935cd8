"""``enable_app_insights`` of a container: the front in the image has what it needs, and reaches this machine."""

from __future__ import annotations

import json
import socket
import subprocess

import psutil
import pytest
from otlp_receiver import Collector
from test_docker_services import ACI, WS, DockerDeployments, home  # noqa: F401 - a fixture

from sendoff.spec.parse import replace
from sendoff.spec.service import UpdateService

TALKS = b"def init():\n    pass\n\n\ndef run(data):\n    print('asked for', data)\n    return [data]\n"


def test_a_container_tells_a_collector_on_this_machine(
    home: DockerDeployments,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Collector(host=_address_of_the_engines_bridge()) as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://localhost:{collector.port}")
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
        operation = home.deploy(inference=home.inference(TALKS), deployment=ACI)
        assert operation.state == "Succeeded", operation
        image = home.deployments.get(WS, "svc")
        on = replace(ACI, enable_app_insights=True)
        operation = home.wait(home.deployments.update(WS, "svc", UpdateService(deployment=on)))
        assert operation.state == "Succeeded", operation
        [note] = [note for note in operation.notes if "Telemetry" in note]
        assert f"(in containers http://host.docker.internal:{collector.port})" in note
        [built] = [step for step in operation.steps if step.name == "image"]
        assert "as before" in built.message
        assert home.score(image, "hello") == ['"hello"']
        span = collector.span(lambda s: s.name == "POST /score")
        assert span.resource["sendoff.target"] == "docker" and span.resource["service.name"] == "svc"
        printed = collector.record(lambda r: r.body == 'asked for "hello"')
        assert printed.trace_id == span.trace_id


def _address_of_the_engines_bridge() -> str:
    """This machine's address in the engine's own network: what ``host-gateway`` is in a container.

    Asked of the interface. The engine's record of the network has a ``Gateway`` only once a container was in it.
    """
    told = subprocess.run(["docker", "network", "inspect", "bridge"], capture_output=True, check=True)
    bridge = json.loads(told.stdout)[0]["Options"]["com.docker.network.bridge.name"]
    [address] = [entry.address for entry in psutil.net_if_addrs()[bridge] if entry.family == socket.AF_INET]
    return address

"""Collected data of services in containers: a folder of the host, with nothing else writable."""

from __future__ import annotations

import json
import time

from test_docker_services import ACI, WS, DockerDeployments, home

from sendoff.modeldata.collected import Collected
from sendoff.spec.data_collection import DataCollection
from sendoff.spec.parse import replace
from sendoff.spec.service import UpdateService
from sendoff.targets.docker import containers

__all__ = ["home"]

COLLECTING = b"""\
import json

from azureml.monitoring import ModelDataCollector


def init():
    global collector
    collector = ModelDataCollector("m", designation="labels", feature_names=["label"])


def run(data):
    collector.collect([[json.loads(data)]])
    return [json.loads(data)]
"""


def test_a_container_stores_its_data_on_the_host_and_an_update_changes_how(today, home: DockerDeployments) -> None:
    home.model("m", b"weights")
    collecting = replace(ACI, collect_model_data=True, data_collection=DataCollection(capture="on"))
    operation = home.deploy(models=["m"], deployment=collecting, inference=home.inference(COLLECTING))
    assert operation.state == "Succeeded", operation
    service = home.deployments.get(WS, "svc")
    for number in range(3):
        home.score(service, number)
    collected = Collected(home.store)

    def counts(source: str) -> tuple[int, int]:
        found = getattr(collected.listing(WS, "svc"), source)
        assert found.offered == found.stored + sum(found.dropped.values())
        return found.offered, found.stored

    wait(lambda: counts("capture") == counts("collector") == (3, 3))
    day = today.isoformat()
    rows = collected.rows(WS, "svc", day=day, designation="joined")
    at = {name: index for index, name in enumerate(rows.columns)}
    assert [(row[at["label"]], row[at["inputs.value"]]) for row in rows.rows] == [("0", "0"), ("1", "1"), ("2", "2")]
    (container,) = containers.of_service(home.engine, home.home, home.uid())
    facts = containers.inspect(home.engine, container.id)
    writable = {mount["Destination"] for mount in facts["Mounts"] if mount["RW"]}
    assert writable == {"/run/sendoff", containers.DATA} and facts["HostConfig"]["ReadonlyRootfs"]
    assert facts["Config"]["User"].split(":")[0] != "0"

    update = UpdateService(deployment=replace(ACI, data_collection=DataCollection(capture="off")))
    operation = home.wait(home.deployments.update(WS, "svc", update))
    assert operation.state == "Succeeded" and not any("BuildingImage" in str(step) for step in operation.steps)
    home.score(home.deployments.get(WS, "svc"), 7)
    wait(lambda: counts("collector") == (4, 4))
    assert counts("capture") == (3, 3)


def wait(holds: object, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < end, json.dumps("it did not come to pass")
        time.sleep(0.1)

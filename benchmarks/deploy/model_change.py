"""A new model of 500 MB, served or baked into an image, beside `cp` plus `sha256sum` of it.

Each round makes a model that nobody has seen, copies and hashes it, registers it, updates a service on the docker
target with it (from the call to Healthy, models are mounted) and packages it (`Model.package`, it is a layer). The
floor of the last is what the engine takes for `docker load` of the same bytes. Goal: at most 1.5 times `cp` plus
`sha256sum`, from a registered model. The disk is quiet before each.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from rows import Row

MEGABYTES = 500
SCORE = "import os\ndef init():\n    os.stat(os.environ['AZUREML_MODEL_DIR'])\ndef run(data):\n    return 1\n"


def timed(work: Callable[[], object]) -> float:
    """Seconds that something takes, with nothing left to be written from before."""
    os.sync()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def by_hand(model: Path, copy: Path) -> float:
    """Seconds of `cp` and `sha256sum`."""
    took = timed(lambda: subprocess.run(["cp", str(model), str(copy)], check=True))
    copy.unlink()
    return took + timed(lambda: subprocess.run(["sha256sum", str(model)], check=True, capture_output=True))


def load(folder: Path, model: Path, base: str) -> float:
    """Seconds of `docker load` of an archive that is ready: one layer with the model upon the base."""
    found = subprocess.run(["docker", "image", "inspect", base], check=True, capture_output=True).stdout
    below = json.loads(found)[0]["RootFS"]["Layers"]
    layer, archive = folder / "layer.tar", folder / "image.tar"
    with tarfile.open(layer, "w") as tar:
        tar.add(model, "model.bin")
    digest = subprocess.run(["sha256sum", str(layer)], check=True, capture_output=True, text=True).stdout.split()[0]
    settings = {"os": "linux", "architecture": "amd64", "config": {}}
    config = {**settings, "rootfs": {"type": "layers", "diff_ids": [*below, f"sha256:{digest}"]}}
    names = [f"base-{number}/layer.tar" for number in range(len(below))]
    manifest = [{"Config": "c.json", "RepoTags": ["sendoff-bench-load:1"], "Layers": [*names, "l/layer.tar"]}]
    with tarfile.open(archive, "w") as tar:
        for name, value in (("manifest.json", manifest), ("c.json", config)):
            data = json.dumps(value).encode()
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
        tar.add(layer, "l/layer.tar")
    layer.unlink()
    try:
        return timed(
            lambda: subprocess.run(["docker", "load", "-q", "-i", str(archive)], check=True, capture_output=True)
        )
    finally:
        archive.unlink()
        subprocess.run(["docker", "rmi", "-f", "sendoff-bench-load:1"], check=False, capture_output=True)


def run(rounds: int, base: str) -> list[Row]:
    """Measure upon a base image."""
    hand = Row("cp + sha256sum of 500 MB")
    floor = Row("docker load of the model alone", peer=hand.seconds)
    register = Row("register it", peer=hand.seconds)
    mounted = Row("new model to Healthy (docker target, mounted)", peer=hand.seconds, most_ratio=1.5)
    baked = Row("new model in an image (Model.package)", peer=hand.seconds, most_ratio=1.5)
    beside = Row("  the same beside docker load", peer=floor.seconds)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        os.environ |= {"SENDOFF_HOME": str(root / "home"), "SENDOFF_ACI_TARGET": "docker", "SENDOFF_BASE_IMAGE": base}

        import sendoff
        from sendoff.client import connect

        (root / "score.py").write_text(SCORE)
        (root / "small.bin").write_bytes(b"small")
        ws = sendoff.Workspace.create("bench", exist_ok=True, show_output=False)
        environment = sendoff.Environment("bench")
        environment.python.conda_dependencies.add_pip_package("six==1.17.0")
        inference = sendoff.InferenceConfig(entry_script=str(root / "score.py"), environment=environment)
        config = sendoff.AciWebservice.deploy_configuration(cpu_cores=1, memory_gb=0.5)
        small = sendoff.Model.register(ws, str(root / "small.bin"), "m")
        names = []
        steps: dict[str, list[float]] = {}

        def package(model: object, label: str) -> None:
            made = sendoff.Model.package(ws, [model], inference, image_name="sendoff-bench-model", image_label=label)
            made.wait_for_creation(show_output=False)
            names.append(made.location)

        def update(model: object) -> None:
            service.update(models=[model], inference_config=inference)
            service.wait_for_deployment()

        def durations() -> dict[str, float]:
            with connect() as client:
                done = client.operations("bench")[0].steps
            return {one.name: one.end - one.start for one in done if one.start is not None and one.end is not None}

        def registered(ws: sendoff.Workspace, path: Path) -> tuple[object, float]:
            os.sync()
            began = time.perf_counter()
            model = sendoff.Model.register(ws, str(path), "m")
            return model, time.perf_counter() - began

        service = sendoff.Model.deploy(ws, "svc", [small], inference, config)
        service.wait_for_deployment()
        try:
            package(small, "small")  # the layers below are there, as for everybody who changes a model
            for number in range(rounds):
                path = root / "model.bin"
                with path.open("wb") as file:
                    for _ in range(MEGABYTES):
                        file.write(os.urandom(1_000_000))
                hand.seconds.append(by_hand(path, root / "copy.bin"))
                floor.seconds.append(load(root, path, base))
                model, took = registered(ws, path)
                register.seconds.append(took)
                mounted.seconds.append(timed(partial(update, model)))
                for name, took in durations().items():
                    steps.setdefault(name, []).append(took)
                baked.seconds.append(timed(partial(package, model, str(number))))
                beside.seconds.append(baked.seconds[-1])
        finally:
            service.delete()
            for name in names:
                subprocess.run(["docker", "rmi", "-f", name], check=False, capture_output=True)
    parts = [Row(f"  step {name}", times) for name, times in steps.items()]
    return [hand, floor, register, mounted, *parts, baked, beside]

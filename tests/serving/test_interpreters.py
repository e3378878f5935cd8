"""Workers on the oldest and newest Pythons, with nothing installed beside the user's own packages."""

from __future__ import annotations

import json
import subprocess

import pytest

from .interpreters import environment, interpreter

PLAIN = """
    import json, sys

    def init():
        global factor
        factor = 2
        print("python", sys.version_info[:2])

    def run(raw_data):
        data = json.loads(raw_data)["data"]
        print("scoring", len(data))
        return {"result": [factor * x for x in data], "python": list(sys.version_info[:2])}
"""

NUMPY = """
    import numpy as np
    from inference_schema.schema_decorators import input_schema, output_schema
    from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType

    def init():
        pass

    @input_schema("data", NumpyParameterType(np.array([[10, 9, 8.0]])))
    @output_schema(NumpyParameterType(np.array([27.0])))
    def run(data):
        assert isinstance(data, np.ndarray)
        return data.sum(axis=1)
"""

RAW = """
    from azureml.contrib.services.aml_request import AMLRequest, rawhttp
    from azureml.contrib.services.aml_response import AMLResponse

    def init():
        pass

    @rawhttp
    def run(request):
        assert isinstance(request, AMLRequest)
        response = AMLResponse(request.get_data(False)[::-1], 201)
        response.headers["X-Method"] = request.method
        return response
"""


@pytest.mark.parametrize("version", ["3.6", "3.8", "3.11", "3.13"])
def test_a_plain_script_runs_on_every_python(serve, version: str) -> None:
    server = serve(PLAIN, "--python", interpreter(version))
    answer = server.score({"data": [1, 2]})
    assert answer.json == {"result": [2, 4], "python": [int(part) for part in version.split(".")]}
    assert server.score("no json").status == 500
    server.stop()
    assert server.log.count("scoring 2") == 1


@pytest.mark.parametrize("version", ["3.6", "3.13"])
def test_raw_scripts_find_their_request_and_response_on_every_python(serve, version: str) -> None:
    server = serve(RAW, "--python", interpreter(version))
    answer = server.request("POST", "/score", b"\x00abc")
    assert (answer.status, answer.body, answer.headers["X-Method"]) == (201, b"cba\x00", "POST")


@pytest.mark.slow
@pytest.mark.parametrize("version", ["3.6", "3.13"])
def test_schema_scripts_use_the_users_own_inference_schema(serve, version: str) -> None:
    server = serve(NUMPY, "--python", environment(version, "inference-schema[numpy-support]"))
    assert server.score({"data": [[1, 2, 3], [4, 5, 6]]}).json == [6.0, 15.0]
    document = server.get("/swagger.json").json
    assert document["definitions"]["ServiceInput"]["properties"]["data"]["items"]["items"]["type"] == "number"
    answer = server.score({"data": [[1, 2]]})
    assert (answer.status, answer.json["code"]) == (400, "value_not_convertible")
    assert answer.json["details"]["path"] == "data"


@pytest.mark.parametrize("version", ["3.6", "3.7", "3.8", "3.9", "3.10", "3.12", "3.13"])
def test_every_module_of_the_worker_compiles_and_needs_only_the_standard_library(version: str, tmp_path) -> None:
    """Imports each worker module and shim in an interpreter that has nothing of ours installed."""
    from sendoff_serving.front.workers.launch import BOOT

    program = f"""
import importlib, pkgutil, sys, types
sys.dont_write_bytecode = True
package = types.ModuleType("sendoff_serving"); package.__path__ = [{str(BOOT.parent.parent)!r}]
sys.modules["sendoff_serving"] = package
sys.path.insert(0, {str(BOOT.parent / "shims")!r})
import sendoff_serving.worker, azureml, azureml_inference_server_http
for top in (sendoff_serving.worker, azureml, azureml_inference_server_http):
    for found in pkgutil.walk_packages(top.__path__, top.__name__ + "."):
        if ".shims" not in found.name:
            importlib.import_module(found.name)
print(len(sys.modules))
"""
    python = interpreter(version)
    done = subprocess.run([python, "-I", "-S", "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 50


def test_nothing_of_ours_is_on_the_workers_path(serve) -> None:
    server = serve("""
        import sys

        def init():
            pass

        def run(data):
            import sendoff_serving
            names = [n for n in sys.modules if n.split(".")[0] in ("httptools", "uvloop", "asyncio")]
            return {"path": sys.path, "package": list(sendoff_serving.__path__), "names": names}
    """, "--python", interpreter("3.11"))  # fmt: skip
    found = server.score("").json
    assert found["names"] == []
    shims = [path for path in found["path"] if "sendoff" in path]
    assert len(shims) == 1 and shims[0].endswith("worker/shims") and found["path"][0] == shims[0]
    assert not any(".venv" in path for path in found["path"])


def test_the_environment_of_the_caller_is_handed_on(serve, tmp_path) -> None:
    (tmp_path / "extra").mkdir()
    (tmp_path / "extra" / "mine.py").write_text("value = 7\n")
    server = serve(
        "import mine, os\ndef init(): pass\ndef run(data): return [mine.value, os.environ['COLOUR']]\n",
        env={"PYTHONPATH": str(tmp_path / "extra"), "COLOUR": "blue"},
    )
    assert json.loads(server.score("").body) == [7, "blue"]

import inspect
from pathlib import Path

import pytest

from sendoff import AciWebservice, AksWebservice, Environment, InferenceConfig, LocalWebservice, Model
from sendoff.sdk.exceptions import WebserviceException


@pytest.fixture(autouse=True)
def script():
    Path("score.py").write_text("def init():\n    pass\n\ndef run(body):\n    return body\n")


@pytest.mark.parametrize(
    "arguments",
    [
        {"entry_script": "nowhere.py"},
        {"entry_script": "score.txt"},
        {"entry_script": "score.py", "source_directory": "nowhere"},
        {"entry_script": "score.py", "environment": Environment("x"), "runtime": "python"},
        {"entry_script": "score.py", "environment": Environment("x"), "conda_file": "env.yml"},
        {"entry_script": "score.py", "runtime": "cobol"},
        {"entry_script": "score.py", "runtime": "python", "conda_file": "nowhere.yml"},
        {"entry_script": "score.py", "cuda_version": "12"},
    ],
)
def test_a_wrong_inference_configuration_is_refused_at_once(arguments):
    with pytest.raises(WebserviceException):
        InferenceConfig(**arguments)


def test_inference_configurations_that_sdk_v1_took_are_taken():
    InferenceConfig("score.py")
    InferenceConfig(str(Path("score.py").absolute()), environment=Environment("x"))
    Path("code").mkdir()
    Path("code/score.py").write_text("")
    InferenceConfig("score.py", source_directory="code", runtime="spark-py")


@pytest.mark.parametrize("port", ["80", 70_000, -1, True])
def test_a_wrong_port_is_refused(port):
    with pytest.raises(WebserviceException, match="port"):
        LocalWebservice.deploy_configuration(port=port)


@pytest.mark.parametrize(
    ("kind", "arguments", "words"),
    [
        (AciWebservice, {"cpu_cores": 0}, "cpu_cores"),
        (AciWebservice, {"ssl_enabled": True}, "ssl_cert_pem_file"),
        (AciWebservice, {"vnet_name": "v"}, "go together"),
        (AciWebservice, {"cmk_key_name": "v"}, "go together"),
        (AksWebservice, {"autoscale_enabled": True, "num_replicas": 2}, "num_replicas"),
        (AksWebservice, {"autoscale_enabled": False}, "num_replicas"),
        (AksWebservice, {"autoscale_min_replicas": 2}, "autoscale_enabled=True"),
        (AksWebservice, {"auth_enabled": True, "token_auth_enabled": True}, "both"),
        (AksWebservice, {"cpu_cores": 2, "cpu_cores_limit": 1}, "cpu_cores_limit"),
        (AksWebservice, {"namespace": "Bad-"}, "namespace"),
        (AksWebservice, {"period_seconds": 0}, "period_seconds"),
    ],
)
def test_values_out_of_range_are_refused(kind, arguments, words):
    with pytest.raises(WebserviceException, match=words):
        kind.deploy_configuration(**arguments)


def test_configurations_become_specs_with_all_that_was_given():
    aci = AciWebservice.deploy_configuration(1, 0.5, {"a": "b"}, description="d")._spec()
    assert (aci.compute_type, aci.cpu_cores, aci.memory_gb, aci.tags, aci.description) == (
        "ACI",
        1,
        0.5,
        {"a": "b"},
        "d",
    )
    aks = AksWebservice.deploy_configuration(
        autoscale_enabled=True, autoscale_max_replicas=3, scoring_timeout_ms=5, period_seconds=4, namespace="n"
    )._spec()
    assert (aks.autoscaler.max_replicas, aks.scoring_timeout_ms, aks.liveness_probe.period_seconds) == (3, 5, 4)
    assert LocalWebservice.deploy_configuration(8890)._spec().port == 8890


def names(function):
    return list(inspect.signature(function).parameters)


ORDERS = {
    Model.deploy: """workspace name models inference_config deployment_config deployment_target overwrite
        show_output""",
    Model.register: """workspace model_path model_name tags properties description datasets model_framework
        model_framework_version child_paths sample_input_dataset sample_output_dataset resource_configuration""",
    Model: "workspace name id tags properties version run_id model_framework expand",
    Model.list: """workspace name tags properties run_id latest dataset_id expand page_count model_framework""",
    InferenceConfig: """entry_script runtime conda_file extra_docker_file_steps source_directory enable_gpu
        description base_image base_image_registry cuda_version environment""",
    AciWebservice.deploy_configuration: "cpu_cores memory_gb tags properties description location auth_enabled",
    AksWebservice.deploy_configuration: "autoscale_enabled autoscale_min_replicas autoscale_max_replicas",
    LocalWebservice.update: "self models image_config deployment_config wait inference_config",
}


@pytest.mark.parametrize("function", ORDERS, ids=lambda one: one.__qualname__)
def test_argument_orders_are_those_of_sdk_v1(function):
    wanted = ORDERS[function].split()
    assert names(function)[: len(wanted)] == wanted

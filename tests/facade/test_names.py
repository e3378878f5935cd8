"""SDK v1's import names lead to Sendoff's own classes, on new Pythons; on old ones they say what they need."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import environment_cache
import pytest

FACADE = Path(__file__).parents[2] / "packages" / "azureml" / "src"
IMPORTS = """
import azureml.core
from azureml.core import Dataset, Datastore, Environment, Model, Webservice, Workspace
from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.container_registry import ContainerRegistry
from azureml.core.dataset import Dataset as D2
from azureml.core.datastore import Datastore as D3
from azureml.core.environment import DockerSection, Environment as E2, PythonSection
from azureml.core.model import InferenceConfig, Model as M2
from azureml.core.profile import ModelProfile
from azureml.core.resource_configuration import ResourceConfiguration
from azureml.core.webservice import AciWebservice, AksWebservice, LocalWebservice
from azureml.core.webservice.aci import AciWebservice as A2
from azureml.core.workspace import Workspace as W2
from azureml.data import DataType, FileDataset, TabularDataset, dataset_type_definitions
from azureml.data.abstract_dataset import AbstractDataset
from azureml.data.azure_storage_datastore import AzureBlobDatastore
from azureml.data.data_reference import DataReference
from azureml.data.datapath import DataPath
from azureml.data.dataset_factory import FileDatasetFactory, TabularDatasetFactory
from azureml.data.dataset_type_definitions import FileEncoding, PromoteHeadersBehavior
from azureml.data.file_dataset import FileDataset as F2
from azureml.data.tabular_dataset import TabularDataset as T2
from azureml.exceptions import ComputeTargetException, ModelNotFoundException, WebserviceException
"""


def run(python: str, code: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-c", code],
        env={**os.environ, "PYTHONPATH": str(FACADE), **env},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_names_are_sendoffs_own_classes():
    check = (
        "import sendoff\nassert (Model, M2, W2) == (sendoff.Model, sendoff.Model, Workspace) and A2 is AciWebservice"
    )
    done = run(sys.executable, IMPORTS + check)
    assert done.returncode == 0, done.stderr


def test_an_unchanged_script_finds_that_a_service_is_unknown(tmp_path):
    script = IMPORTS + (
        "ws = Workspace.create('old', subscription_id='s', resource_group='g', exist_ok=True)\n"
        "try:\n    Webservice(ws, 'nobody')\n"
        "except WebserviceException as error:\n    print('WebserviceNotFound' in str(error))"
    )
    done = run(sys.executable, script, SENDOFF_HOME=str(tmp_path))
    assert done.stdout.splitlines()[-1] == "True", done.stderr


@pytest.mark.parametrize("minor", ["3.6", "3.8"])
def test_on_an_old_python_imports_pass_and_use_says_which_python_is_needed(minor):
    python = environment_cache.interpreter(minor)
    done = run(python, IMPORTS + "\nWorkspace.from_config()")
    assert "NotImplementedError: azureml's Workspace needs Python 3.11 or newer" in done.stderr


def test_the_vendors_package_beside_ours_is_refused(tmp_path):
    (tmp_path / "azureml_core-1.61.0.dist-info").mkdir()
    (tmp_path / "azureml_core-1.61.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: azureml-core\nVersion: 1.61.0\n"
    )
    code = f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\nimport azureml.core"
    done = run(sys.executable, code)
    assert "azureml-core 1.61.0 is installed" in done.stderr

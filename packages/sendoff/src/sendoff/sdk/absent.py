"""Classes of SDK v1 that Sendoff does not have; each says what to use instead when it is used."""

from __future__ import annotations

from typing import Any

from .unsupported import stand_in

_COMPUTE = "Services run on this machine, or on the cluster your target names; AksCompute and AmlCompute are taken."
_STEPS = "Run the steps' scripts yourself: Experiment.submit(ScriptRunConfig(…)) runs one on this machine."
_TRAIN = "Train with a library of your own, then Model.register."
_EDGE = "Edge devices are not a target yet: 'sendoff model package' makes an image that runs on any device with Docker."
_FPGA = "FPGA targets are not there yet; convert the model to ONNX and deploy that."
_FUNCTIONS = "'sendoff model package' makes an image that answers HTTP."
_STORES = "Use the default datastore, or files and folders of this machine."
_NETWORK = "There is no private network to manage."
_EXPLAIN = "Use a library of your own, such as shap, and Run.upload_file what it makes."

# What to use instead -> the names of which that is said; ``name=v1.name`` where SDK v1's own says more than the name.
_NAMES = {
    _COMPUTE: """
        AdlaCompute BatchCompute DatabricksCompute DataFactoryCompute HDInsightCompute KustoCompute SynapseCompute
        AbstractComputeTarget LocalTarget
    """,
    "Use cron or a systemd timer with the command line.": "Schedule ScheduleRecurrence",
    _STEPS: """
        PipelineEndpoint PipelineDraft PipelineStepRun PortDataReference Module ModuleVersion TrainingOutput
        OutputFileDatasetConfig
    """,
    _TRAIN: """
        AutoMLConfig HyperDriveConfig HyperDriveRun RandomParameterSampling GridParameterSampling
        BayesianParameterSampling BanditPolicy MedianStoppingPolicy TruncationSelectionPolicy PrimaryMetricGoal
        choice uniform loguniform normal FeaturizationConfig OnnxConvertConstants
        constants=azureml.train.automl.constants HyperDriveRunConfig AutoMLStepRun quniform qloguniform lognormal
        randint NoTerminationPolicy
    """,
    "Use skl2onnx, and Model.register what it makes.": "OnnxConverter",
    "Deploy the ONNX model, or use onnxruntime.": "OnnxInferenceHelper",
    _EXPLAIN: """
        ExplanationClient ExplanationDashboard save=azureml.interpret.scoring.scoring_explainer.save
        KernelScoringExplainer LinearScoringExplainer TreeScoringExplainer
    """,
    "Spark is not served.": "SparkPackage",
    _EDGE: "IotContainerImage IotWebservice IotHubCompute",
    _FPGA: """
        AccelOnnxConverter AccelContainerImage PredictionClient Resnet50 Resnet152 Densenet121 Vgg16 SsdVgg
        QuantizedResnet50 QuantizedResnet152 QuantizedDensenet121 QuantizedVgg16 QuantizedSsdVgg
    """,
    _FUNCTIONS: """
        HTTP_TRIGGER BLOB_TRIGGER package=azureml.contrib.functions.package
        package_http=azureml.contrib.functions.package_http package_blob=azureml.contrib.functions.package_blob
        package_service_bus_queue=azureml.contrib.functions.package_service_bus_queue HttpTrigger BlobTrigger
    """,
    _STORES: "AzureFileDatastore AzureDataLakeDatastore AzureDataLakeGen2Datastore AzureSqlDatabaseDatastore",
    _NETWORK: "LinkedService PrivateEndPoint PrivateEndPointConfig",
    "Experiment.submit gives a Run.": "ScriptRun",
    "Webservice(workspace, name) gives the right class.": "UnknownWebservice",
    "Use Environment.from_dockerfile.": "DockerBuildContext",
    "Environments are built as packages; Environment.build makes one.": "DockerImageDetails",
    "Use Environment.get.": "EnvironmentReference",
    "See 'sendoff drift'.": "ModelMonitor",
    "Use ComputeTarget.attach.": "attach_legacy_compute_target",
    "Use ComputeTarget.detach.": "remove_legacy_compute_target",
}
for _instead, _names in _NAMES.items():
    for _name in _names.split():
        _here, _, _shown = _name.partition("=")
        globals()[_here] = stand_in(_shown or _here, _instead)


def is_compute_target_prepared(*_: Any, **__: Any) -> bool:
    """Nothing has to be prepared."""
    return True


def prepare_compute_target(*_: Any, **__: Any) -> None:
    """Nothing has to be prepared."""


def set_diagnostics_collection(*_: Any, **__: Any) -> None:
    """Nothing is collected."""


def get_telemetry_log_handler(*_: Any, **__: Any) -> Any:
    """A handler that drops all."""
    import logging

    return logging.NullHandler()


INSTRUMENTATION_KEY = ""

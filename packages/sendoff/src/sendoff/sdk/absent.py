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

AdlaCompute: Any = stand_in("AdlaCompute", _COMPUTE)
BatchCompute: Any = stand_in("BatchCompute", _COMPUTE)
DatabricksCompute: Any = stand_in("DatabricksCompute", _COMPUTE)
DataFactoryCompute: Any = stand_in("DataFactoryCompute", _COMPUTE)
HDInsightCompute: Any = stand_in("HDInsightCompute", _COMPUTE)
KustoCompute: Any = stand_in("KustoCompute", _COMPUTE)
SynapseCompute: Any = stand_in("SynapseCompute", _COMPUTE)
AbstractComputeTarget: Any = stand_in("AbstractComputeTarget", _COMPUTE)
LocalTarget: Any = stand_in("LocalTarget", _COMPUTE)

Schedule: Any = stand_in("Schedule", "Use cron or a systemd timer with the command line.")
ScheduleRecurrence: Any = stand_in("ScheduleRecurrence", "Use cron or a systemd timer with the command line.")
PipelineEndpoint: Any = stand_in("PipelineEndpoint", _STEPS)
PipelineDraft: Any = stand_in("PipelineDraft", _STEPS)
PipelineStepRun: Any = stand_in("PipelineStepRun", _STEPS)
PortDataReference: Any = stand_in("PortDataReference", _STEPS)
Module: Any = stand_in("Module", _STEPS)
ModuleVersion: Any = stand_in("ModuleVersion", _STEPS)
TrainingOutput: Any = stand_in("TrainingOutput", _STEPS)

AutoMLConfig: Any = stand_in("AutoMLConfig", _TRAIN)
HyperDriveConfig: Any = stand_in("HyperDriveConfig", _TRAIN)
HyperDriveRun: Any = stand_in("HyperDriveRun", _TRAIN)
RandomParameterSampling: Any = stand_in("RandomParameterSampling", _TRAIN)
GridParameterSampling: Any = stand_in("GridParameterSampling", _TRAIN)
BayesianParameterSampling: Any = stand_in("BayesianParameterSampling", _TRAIN)
BanditPolicy: Any = stand_in("BanditPolicy", _TRAIN)
MedianStoppingPolicy: Any = stand_in("MedianStoppingPolicy", _TRAIN)
TruncationSelectionPolicy: Any = stand_in("TruncationSelectionPolicy", _TRAIN)
PrimaryMetricGoal: Any = stand_in("PrimaryMetricGoal", _TRAIN)
choice: Any = stand_in("choice", _TRAIN)
uniform: Any = stand_in("uniform", _TRAIN)
loguniform: Any = stand_in("loguniform", _TRAIN)
normal: Any = stand_in("normal", _TRAIN)
_EXPLAIN = "Use a library of your own, such as shap, and Run.upload_file what it makes."
FeaturizationConfig: Any = stand_in("FeaturizationConfig", _TRAIN)
OnnxConverter: Any = stand_in("OnnxConverter", "Use skl2onnx, and Model.register what it makes.")
OnnxConvertConstants: Any = stand_in("OnnxConvertConstants", _TRAIN)
OnnxInferenceHelper: Any = stand_in("OnnxInferenceHelper", "Deploy the ONNX model, or use onnxruntime.")
constants: Any = stand_in("azureml.train.automl.constants", _TRAIN)
ExplanationClient: Any = stand_in("ExplanationClient", _EXPLAIN)
ExplanationDashboard: Any = stand_in("ExplanationDashboard", _EXPLAIN)
save: Any = stand_in("azureml.interpret.scoring.scoring_explainer.save", _EXPLAIN)
KernelScoringExplainer: Any = stand_in("KernelScoringExplainer", _EXPLAIN)
LinearScoringExplainer: Any = stand_in("LinearScoringExplainer", _EXPLAIN)
TreeScoringExplainer: Any = stand_in("TreeScoringExplainer", _EXPLAIN)
HyperDriveRunConfig: Any = stand_in("HyperDriveRunConfig", _TRAIN)
AutoMLStepRun: Any = stand_in("AutoMLStepRun", _TRAIN)
quniform: Any = stand_in("quniform", _TRAIN)
qloguniform: Any = stand_in("qloguniform", _TRAIN)
lognormal: Any = stand_in("lognormal", _TRAIN)
randint: Any = stand_in("randint", _TRAIN)
NoTerminationPolicy: Any = stand_in("NoTerminationPolicy", _TRAIN)
SparkPackage: Any = stand_in("SparkPackage", "Spark is not served.")

IotContainerImage: Any = stand_in("IotContainerImage", _EDGE)
IotWebservice: Any = stand_in("IotWebservice", _EDGE)
IotHubCompute: Any = stand_in("IotHubCompute", _EDGE)
AccelOnnxConverter: Any = stand_in("AccelOnnxConverter", _FPGA)
AccelContainerImage: Any = stand_in("AccelContainerImage", _FPGA)
PredictionClient: Any = stand_in("PredictionClient", _FPGA)
Resnet50: Any = stand_in("Resnet50", _FPGA)
Resnet152: Any = stand_in("Resnet152", _FPGA)
Densenet121: Any = stand_in("Densenet121", _FPGA)
Vgg16: Any = stand_in("Vgg16", _FPGA)
SsdVgg: Any = stand_in("SsdVgg", _FPGA)
QuantizedResnet50: Any = stand_in("QuantizedResnet50", _FPGA)
QuantizedResnet152: Any = stand_in("QuantizedResnet152", _FPGA)
QuantizedDensenet121: Any = stand_in("QuantizedDensenet121", _FPGA)
QuantizedVgg16: Any = stand_in("QuantizedVgg16", _FPGA)
QuantizedSsdVgg: Any = stand_in("QuantizedSsdVgg", _FPGA)
HTTP_TRIGGER: Any = stand_in("HTTP_TRIGGER", _FUNCTIONS)
BLOB_TRIGGER: Any = stand_in("BLOB_TRIGGER", _FUNCTIONS)
package: Any = stand_in("azureml.contrib.functions.package", _FUNCTIONS)
package_http: Any = stand_in("azureml.contrib.functions.package_http", _FUNCTIONS)
package_blob: Any = stand_in("azureml.contrib.functions.package_blob", _FUNCTIONS)
package_service_bus_queue: Any = stand_in("azureml.contrib.functions.package_service_bus_queue", _FUNCTIONS)
HttpTrigger: Any = stand_in("HttpTrigger", _FUNCTIONS)
BlobTrigger: Any = stand_in("BlobTrigger", _FUNCTIONS)

AzureFileDatastore: Any = stand_in("AzureFileDatastore", _STORES)
AzureDataLakeDatastore: Any = stand_in("AzureDataLakeDatastore", _STORES)
AzureDataLakeGen2Datastore: Any = stand_in("AzureDataLakeGen2Datastore", _STORES)
AzureSqlDatabaseDatastore: Any = stand_in("AzureSqlDatabaseDatastore", _STORES)
OutputFileDatasetConfig: Any = stand_in("OutputFileDatasetConfig", _STEPS)
LinkedService: Any = stand_in("LinkedService", _NETWORK)
PrivateEndPoint: Any = stand_in("PrivateEndPoint", _NETWORK)
PrivateEndPointConfig: Any = stand_in("PrivateEndPointConfig", _NETWORK)
ScriptRun: Any = stand_in("ScriptRun", "Experiment.submit gives a Run.")
UnknownWebservice: Any = stand_in("UnknownWebservice", "Webservice(workspace, name) gives the right class.")
DockerBuildContext: Any = stand_in("DockerBuildContext", "Use Environment.from_dockerfile.")
DockerImageDetails: Any = stand_in(
    "DockerImageDetails", "Environments are built as packages; Environment.build makes one."
)
EnvironmentReference: Any = stand_in("EnvironmentReference", "Use Environment.get.")
ModelMonitor: Any = stand_in("ModelMonitor", "See 'sendoff drift'.")


def is_compute_target_prepared(*_: Any, **__: Any) -> bool:
    """Nothing has to be prepared."""
    return True


def prepare_compute_target(*_: Any, **__: Any) -> None:
    """Nothing has to be prepared."""


attach_legacy_compute_target: Any = stand_in("attach_legacy_compute_target", "Use ComputeTarget.attach.")
remove_legacy_compute_target: Any = stand_in("remove_legacy_compute_target", "Use ComputeTarget.detach.")


def set_diagnostics_collection(*_: Any, **__: Any) -> None:
    """Nothing is collected."""


def get_telemetry_log_handler(*_: Any, **__: Any) -> Any:
    """A handler that drops all."""
    import logging

    return logging.NullHandler()


INSTRUMENTATION_KEY = ""

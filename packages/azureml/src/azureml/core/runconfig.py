"""How training scripts run."""

from azureml._names import take

globals().update(
    take(
        RunConfiguration="sendoff.sdk.runs.configuration",
        DockerConfiguration="sendoff.sdk.runs.configuration",
        MpiConfiguration="sendoff.sdk.runs.configuration",
        DataReferenceConfiguration="sendoff.sdk.runs.configuration",
        DEFAULT_CPU_IMAGE="sendoff.sdk.runs.configuration",
        DEFAULT_GPU_IMAGE="sendoff.sdk.runs.configuration",
        EnvironmentDefinition="sendoff.sdk.runs.configuration",
        PythonEnvironment="sendoff.sdk.runs.configuration",
        DockerEnvironment="sendoff.sdk.runs.configuration",
        SparkEnvironment="sendoff.sdk.runs.configuration",
        AzureContainerRegistry="sendoff.sdk.runs.configuration",
        CondaDependencies="sendoff.sdk.environments.conda_dependencies",
    )
)

"""How training scripts run."""

from azureml._names import take

globals().update(
    take(
        RunConfiguration="sendoff.sdk.run_configuration",
        DockerConfiguration="sendoff.sdk.run_configuration",
        MpiConfiguration="sendoff.sdk.run_configuration",
        DataReferenceConfiguration="sendoff.sdk.run_configuration",
        DEFAULT_CPU_IMAGE="sendoff.sdk.run_configuration",
        DEFAULT_GPU_IMAGE="sendoff.sdk.run_configuration",
        EnvironmentDefinition="sendoff.sdk.run_configuration",
        PythonEnvironment="sendoff.sdk.run_configuration",
        DockerEnvironment="sendoff.sdk.run_configuration",
        SparkEnvironment="sendoff.sdk.run_configuration",
        AzureContainerRegistry="sendoff.sdk.run_configuration",
        CondaDependencies="sendoff.sdk.conda_dependencies",
    )
)

"""Environments and their sections."""

from azureml._names import take

globals().update(
    take(
        Environment="sendoff.sdk.environment",
        PythonSection="sendoff.sdk.environment_sections",
        DockerSection="sendoff.sdk.environment_sections",
        SparkSection="sendoff.sdk.environment_sections",
        RSection="sendoff.sdk.environment_sections",
        DatabricksSection="sendoff.sdk.environment_sections",
        DockerImagePlatform="sendoff.sdk.environment_sections",
        ContainerRegistry="sendoff.sdk.environment_sections",
        CondaDependencies="sendoff.sdk.conda_dependencies",
    )
)

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
        DEFAULT_CPU_IMAGE="sendoff.sdk.environment_sections",
        DEFAULT_GPU_IMAGE="sendoff.sdk.environment_sections",
        ImageBuildDetails="sendoff.sdk.environment",
        SparkPackage="sendoff.sdk.absent",
        DockerBuildContext="sendoff.sdk.absent",
        DockerImageDetails="sendoff.sdk.absent",
        EnvironmentReference="sendoff.sdk.absent",
        CondaDependencies="sendoff.sdk.conda_dependencies",
    )
)

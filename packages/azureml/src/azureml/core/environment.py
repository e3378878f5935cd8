"""Environments and their sections."""

from azureml._names import take

globals().update(
    take(
        Environment="sendoff.sdk.environments.environment",
        PythonSection="sendoff.sdk.environments.sections",
        DockerSection="sendoff.sdk.environments.sections",
        SparkSection="sendoff.sdk.environments.sections",
        RSection="sendoff.sdk.environments.sections",
        DatabricksSection="sendoff.sdk.environments.sections",
        DockerImagePlatform="sendoff.sdk.environments.sections",
        ContainerRegistry="sendoff.sdk.environments.sections",
        DEFAULT_CPU_IMAGE="sendoff.sdk.environments.sections",
        DEFAULT_GPU_IMAGE="sendoff.sdk.environments.sections",
        ImageBuildDetails="sendoff.sdk.environments.environment",
        SparkPackage="sendoff.sdk.absent",
        DockerBuildContext="sendoff.sdk.absent",
        DockerImageDetails="sendoff.sdk.absent",
        EnvironmentReference="sendoff.sdk.absent",
        CondaDependencies="sendoff.sdk.environments.conda_dependencies",
    )
)

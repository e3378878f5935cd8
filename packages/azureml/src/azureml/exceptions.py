"""Exceptions by the names that scripts catch."""

from azureml._names import take

globals().update(
    take(
        AzureMLException="sendoff.sdk.exceptions",
        UserErrorException="sendoff.sdk.exceptions",
        AuthenticationException="sendoff.sdk.exceptions",
        WebserviceException="sendoff.sdk.exceptions",
        ModelNotFoundException="sendoff.sdk.exceptions",
        ModelPathNotFoundException="sendoff.sdk.exceptions",
        ComputeTargetException="sendoff.sdk.exceptions",
        WorkspaceException="sendoff.sdk.exceptions",
        WorkspacePrivateEndpointException="sendoff.sdk.exceptions",
        ProjectSystemException="sendoff.sdk.exceptions",
        ExperimentExecutionException="sendoff.sdk.exceptions",
        RunConfigurationException="sendoff.sdk.exceptions",
        RunEnvironmentException="sendoff.sdk.exceptions",
        SnapshotException="sendoff.sdk.exceptions",
        TrainingException="sendoff.sdk.exceptions",
        ActivityFailedException="sendoff.sdk.exceptions",
        DatasetTimestampMissingError="sendoff.sdk.exceptions",
        DiscoveryUrlNotFoundException="sendoff.sdk.exceptions",
        AzureMLAggregatedException="sendoff.sdk.exceptions",
        ParallelRunException="sendoff.sdk.exceptions",
        ServiceException="sendoff.sdk.exceptions",
        FeatureNotSupported="sendoff.sdk.unsupported",
    )
)

"""The workspace."""

from azureml._names import take

globals().update(
    take(
        Workspace="sendoff.sdk.workspace",
    )
)

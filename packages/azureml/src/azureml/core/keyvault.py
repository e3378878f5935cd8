"""The key vault."""

from azureml._names import take

globals().update(
    take(
        Keyvault="sendoff.sdk.keyvault",
    )
)

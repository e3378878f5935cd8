"""Hyperparameter searches."""

from azureml._names import take

globals().update(
    take(
        BanditPolicy="sendoff.sdk.absent",
        MedianStoppingPolicy="sendoff.sdk.absent",
        TruncationSelectionPolicy="sendoff.sdk.absent",
        NoTerminationPolicy="sendoff.sdk.absent",
    )
)

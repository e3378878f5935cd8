"""Hyperparameter searches."""

from azureml._names import take

globals().update(
    take(
        choice="sendoff.sdk.absent",
        uniform="sendoff.sdk.absent",
        loguniform="sendoff.sdk.absent",
        normal="sendoff.sdk.absent",
        quniform="sendoff.sdk.absent",
        qloguniform="sendoff.sdk.absent",
        lognormal="sendoff.sdk.absent",
        randint="sendoff.sdk.absent",
    )
)

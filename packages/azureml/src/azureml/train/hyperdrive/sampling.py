"""Hyperparameter searches."""

from azureml._names import take

globals().update(
    take(
        RandomParameterSampling="sendoff.sdk.absent",
        GridParameterSampling="sendoff.sdk.absent",
        BayesianParameterSampling="sendoff.sdk.absent",
    )
)

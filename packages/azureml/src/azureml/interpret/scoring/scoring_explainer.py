"""Explanations."""

from azureml._names import take

globals().update(
    take(
        KernelScoringExplainer="sendoff.sdk.absent",
        LinearScoringExplainer="sendoff.sdk.absent",
        save="sendoff.sdk.absent",
        TreeScoringExplainer="sendoff.sdk.absent",
    )
)

"""Runs of pipelines."""

from azureml._names import take

globals().update(
    take(
        PipelineRun="sendoff.sdk.pipelines.pipeline",
        StepRun="sendoff.sdk.pipelines.pipeline",
    )
)

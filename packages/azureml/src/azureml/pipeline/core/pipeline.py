"""The pipeline."""

from azureml._names import take

globals().update(
    take(
        Pipeline="sendoff.sdk.pipelines.pipeline",
    )
)

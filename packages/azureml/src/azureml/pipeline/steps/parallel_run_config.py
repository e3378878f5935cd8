"""The configuration of a batch step."""

from azureml._names import take

globals().update(
    take(
        ParallelRunConfig="sendoff.sdk.pipelines.parallel_run",
    )
)

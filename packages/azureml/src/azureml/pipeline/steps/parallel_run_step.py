"""The batch step."""

from azureml._names import take

globals().update(
    take(
        ParallelRunStep="sendoff.sdk.pipelines.steps",
    )
)

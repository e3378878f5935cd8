"""Batch steps as of April 2020."""

from azureml._names import take

globals().update(
    take(
        ParallelRunStep="sendoff.sdk.pipelines.steps",
        ParallelRunConfig="sendoff.sdk.pipelines.contrib_parallel_run",
    )
)

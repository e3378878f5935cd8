"""Constants for reading files."""

from azureml._names import take

globals().update(
    take(
        PromoteHeadersBehavior="sendoff.sdk.dataset_types",
        FileEncoding="sendoff.sdk.dataset_types",
        SkipLinesBehavior="sendoff.sdk.dataset_types",
        HistogramCompareMethod="sendoff.sdk.dataset_types",
    )
)

"""Constants for reading files."""

from azureml._names import take

globals().update(
    take(
        PromoteHeadersBehavior="sendoff.sdk.data.types",
        FileEncoding="sendoff.sdk.data.types",
        SkipLinesBehavior="sendoff.sdk.data.types",
        HistogramCompareMethod="sendoff.sdk.data.types",
    )
)

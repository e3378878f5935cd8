"""Data: tables, files and where they lie."""

from azureml._names import take

globals().update(
    take(
        TabularDataset="sendoff.sdk.data.dataset",
        FileDataset="sendoff.sdk.data.dataset",
        DataType="sendoff.sdk.data.types",
        OutputFileDatasetConfig="sendoff.sdk.absent",
    )
)

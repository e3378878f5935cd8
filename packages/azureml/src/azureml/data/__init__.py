"""Data: tables, files and where they lie."""

from azureml._names import take

globals().update(
    take(
        TabularDataset="sendoff.sdk.dataset",
        FileDataset="sendoff.sdk.dataset",
        DataType="sendoff.sdk.dataset_types",
        OutputFileDatasetConfig="sendoff.sdk.absent",
    )
)

"""Compute targets."""

from azureml._names import take

globals().update(
    take(
        ComputeTarget="sendoff.sdk.compute.target",
        AksCompute="sendoff.sdk.compute.aks",
        AmlCompute="sendoff.sdk.compute.amlcompute",
        ComputeInstance="sendoff.sdk.compute.instance",
        KubernetesCompute="sendoff.sdk.compute.kubernetes",
        RemoteCompute="sendoff.sdk.compute.remote",
        DsvmCompute="sendoff.sdk.compute.remote",
        BatchCompute="sendoff.sdk.absent",
        DatabricksCompute="sendoff.sdk.absent",
        AdlaCompute="sendoff.sdk.absent",
        DataFactoryCompute="sendoff.sdk.absent",
        HDInsightCompute="sendoff.sdk.absent",
        KustoCompute="sendoff.sdk.absent",
        SynapseCompute="sendoff.sdk.absent",
    )
)

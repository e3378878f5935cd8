"""Scripts with their arguments."""

from azureml._names import take

globals().update(
    take(
        TensorFlow="sendoff.sdk.estimators",
        PyTorch="sendoff.sdk.estimators",
        Keras="sendoff.sdk.estimators",
        Chainer="sendoff.sdk.estimators",
        Mpi="sendoff.sdk.estimators",
        Nccl="sendoff.sdk.estimators",
        Gloo="sendoff.sdk.estimators",
        ParameterServer="sendoff.sdk.estimators",
    )
)

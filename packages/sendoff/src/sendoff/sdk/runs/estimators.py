"""SDK v1's framework estimators: each a script with its arguments, run in the interpreter that submits it."""

from __future__ import annotations

from typing import Any

from .configuration import Estimator, MpiConfiguration


class SKLearn(Estimator):
    """A script that trains with scikit-learn."""


class TensorFlow(Estimator):
    """A script that trains with TensorFlow."""


class PyTorch(Estimator):
    """A script that trains with PyTorch."""


class Keras(Estimator):
    """A script that trains with Keras."""


class Chainer(Estimator):
    """A script that trains with Chainer."""


Mpi = MpiConfiguration


class Nccl:
    """Settings of distributed training; a script runs as one process here."""

    def __init__(self, **given: Any) -> None:
        vars(self).update(given)


class Gloo(Nccl):
    """Settings of distributed training."""


class ParameterServer(Nccl):
    """Settings of distributed training."""

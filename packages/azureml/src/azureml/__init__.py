"""The import names of Azure ML SDK v1, answered by Sendoff. This distribution holds names, not logic."""

import sys

from azureml._names import Modules

sys.meta_path.append(Modules)

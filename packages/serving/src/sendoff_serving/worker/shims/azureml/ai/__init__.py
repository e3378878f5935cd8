"""Stand-in of the package azureml.ai in entry scripts."""

import pkgutil

# Other packages of this name in the user's environment stay importable; ours come first.
__path__ = pkgutil.extend_path(__path__, __name__)

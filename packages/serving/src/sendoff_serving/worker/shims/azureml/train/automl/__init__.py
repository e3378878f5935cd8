"""Importable, as scripts made by AutoML expect; the models' own classes come from the user's environment."""

import pkgutil

__path__ = pkgutil.extend_path(__path__, __name__)

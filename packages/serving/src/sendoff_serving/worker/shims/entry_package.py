"""The package that the entry script lies in, for the processes that it starts: see ``entry_module``."""

import importlib

importlib.import_module("entry_module")  # puts the package in the place of this module

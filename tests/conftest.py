"""What holds for every test."""

import os

# Where an engine answers, container-instance configurations would build images: tests that want that say so.
os.environ.setdefault("SENDOFF_ACI_TARGET", "process")

"""What holds for every test."""

import os
import signal

# Where an engine answers, container-instance configurations would build images: tests that want that say so.
os.environ.setdefault("SENDOFF_ACI_TARGET", "process")

# A run in the background of a script ignores SIGINT, and every process that a test starts would inherit that: tests of
# Ctrl-C need the default. A handler is not inherited over exec, "ignored" is.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

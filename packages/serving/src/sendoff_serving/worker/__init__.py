"""The worker: loads the user's entry script and runs it, on Python 3.6 or newer, standard library only."""

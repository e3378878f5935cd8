"""The process target: a front and its workers as supervised processes on this machine."""

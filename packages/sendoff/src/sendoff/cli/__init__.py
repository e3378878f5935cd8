"""The command line: what users type in a shell. Nothing is imported here: each command loads only what it needs."""

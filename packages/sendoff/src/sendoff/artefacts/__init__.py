"""What code runs in, made or found made: interpreters on this machine, images on an engine. Targets say which."""

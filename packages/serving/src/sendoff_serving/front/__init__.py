"""The front: HTTP, request ids, errors, the queue, deadlines and the worker processes."""

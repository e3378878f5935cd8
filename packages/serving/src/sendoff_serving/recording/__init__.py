"""What a service was asked and answered, as files; a process of its own beside the front (docs/data-collection.md)."""

"""What services collected: where it lies, what there is of it, reading and exporting it (docs/data-collection.md)."""

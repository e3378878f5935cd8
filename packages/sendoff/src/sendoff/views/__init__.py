"""What the API answered, made into something to look at or to keep: charts, and exports to files."""

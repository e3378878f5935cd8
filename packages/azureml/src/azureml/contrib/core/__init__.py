"""What was in preview."""

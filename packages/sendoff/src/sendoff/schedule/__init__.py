"""What is done by the clock: when it is due, who starts it, and what it is."""

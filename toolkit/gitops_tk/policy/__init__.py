"""What may travel, when, and in which order. Pure functions."""

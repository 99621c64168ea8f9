"""Documents are executed and kept current."""

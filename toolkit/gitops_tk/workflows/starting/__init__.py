"""What a new service starts from."""

"""What a pull request changes, read for verify-pr."""

"""What environments held, told from the git history."""

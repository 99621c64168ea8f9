"""Reading a repository that exists already."""

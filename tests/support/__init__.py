"""Real git repositories and servers for the tests."""

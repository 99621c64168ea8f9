"""Pull requests: one small port, one file a forge, a registry by name and host."""

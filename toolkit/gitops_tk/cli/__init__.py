"""The command line: each file parses one command, calls one workflow and prints its result."""

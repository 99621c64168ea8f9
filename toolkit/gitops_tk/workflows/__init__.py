"""One file a verb: its request and its plan."""

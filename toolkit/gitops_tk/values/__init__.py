"""Values files: find a key, splice bytes, quote, merge layers, compare."""

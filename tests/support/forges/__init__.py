"""Forges on 127.0.0.1, each bound to real bare repositories and strict about what it is asked."""

"""Argo CD: its manifests as data, and what it makes of them."""

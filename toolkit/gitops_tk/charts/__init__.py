"""Helm charts: scaffolded from the skeleton, rendered by the Helm engine, checked."""

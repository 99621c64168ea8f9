"""Helm chart generator and GitOps pipeline toolkit."""

__version__ = "0.1.0"

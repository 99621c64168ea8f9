"""The manifests that connect the repository to Argo CD."""

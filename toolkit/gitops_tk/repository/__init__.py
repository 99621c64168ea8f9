"""GitOps repositories: read at one commit, changed by one commit or one proposal."""

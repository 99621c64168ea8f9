"""Two states of the repository compared, release by release: the evidence of a change."""

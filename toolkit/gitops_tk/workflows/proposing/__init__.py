"""Changes that are reviewed before they land: one proposal for a service and environment, on a forge or as a branch."""

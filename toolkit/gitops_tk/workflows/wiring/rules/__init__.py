"""What the wiring to Argo CD is held to, one file for what each is about."""

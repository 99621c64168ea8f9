"""gitops-tk.yaml: its model, loading, JSON Schema and layout templates."""

"""Services checked: values, manifests and rules."""

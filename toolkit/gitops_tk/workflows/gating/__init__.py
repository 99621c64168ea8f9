"""Gates asked between plan and publish."""

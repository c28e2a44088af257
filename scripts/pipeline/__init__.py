"""What the commands share: from openapi.yaml to a published SDK."""

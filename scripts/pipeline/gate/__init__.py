"""The gate: what a new document changes, for whom, and whether its version says so."""

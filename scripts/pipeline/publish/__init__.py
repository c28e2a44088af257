"""Publishing: what a release must fulfil, its distribution, its index, and its first caller."""

"""`bench evidence`: outcomes in, standings out, and guidance read meanwhile."""

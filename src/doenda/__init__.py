"""Doenda (된다, "it works"): overdue bills, ways to pay that are proven to work, and lines that come back."""

"""The counter as a provider: its truth is our own rows (payments/counter), so it never leaves anything unknown."""

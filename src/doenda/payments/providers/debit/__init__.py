"""Debits by file: answers from our own rows; the clearing house is reached by the outbox and the sweeps, not by it."""

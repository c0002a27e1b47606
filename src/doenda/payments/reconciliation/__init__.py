"""Reconciliation: what banks and providers say moved, held against the ledger, line by line; the queue of what differs.

It reads the ledger and stores lines; it posts nothing by itself. A person's `queue.accept` goes through the one door.
"""

"""The counter: stores, shifts, receipts, slips and what is paid out again; its own books of cash in drawers.

Touches only payments' own rows and the rooms below; money reaches the ledger by `payments.outcomes` alone.
"""

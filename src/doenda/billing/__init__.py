"""Parties, accounts, lines, bills and the ledger; imports and feeds. Fees are decided elsewhere.

May touch kernel and access; it calls no room above, they learn from its facts (`billing.payment_posted` and so on).
"""

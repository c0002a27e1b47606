"""The bank of the carrier's account numbers: one is leased and opened for a bill or an account, and paid into.

Money moves when somebody deposits; what arrived comes home by the bank's list (`payments.deposits`), not by a webhook.
"""

"""Taking money: attempts and their declared outcomes, providers, their doorbells, inquiry of unknowns, refunds.

An attempt's outcome becomes a posting (billing), evidence (assurance) and a receipt (notices) in one transaction.
May touch: notices, assurance, billing, access, kernel.
"""

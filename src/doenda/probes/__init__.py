"""Synthetic customers: which ways are walked when, and what a walk proves. The only source of leases.

May touch: channels (the walkers) and what lies below.
"""

"""Toss Payments (core API 2022-11-16): its hosted page by redirect, virtual accounts, kept cards, feeds, doorbells.

Money moves at `confirm`, or when somebody pays into an account; doorbells are unsigned and only a reason to ask.
It may touch the kernel's network seam and clock's zone, and the contract.
"""

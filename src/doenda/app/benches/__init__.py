"""Benches: what the house does in a second, beside what the machine could do, on a throwaway server of their own.

Each measures the real code from outside and proves afterwards that what it counted was really done. May touch every
room; only the `bench` command imports them.
"""

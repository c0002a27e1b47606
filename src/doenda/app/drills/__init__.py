"""Drills: one fault each, from outside, on a running system of their own; each returns its figures and what failed."""

"""What a customer can do (enter, pay, promise, object, be called), declared once for every channel; engine and proof.

`steps`, `engine`, `declarations`, `journey_*`, `catalog` and `checker` are pure: no database, clock or network.
Rows, sessions and actions stand beside them and may touch the rooms below; no channel is known here.
"""

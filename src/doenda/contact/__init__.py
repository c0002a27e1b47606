"""People who answer people: a customer's place in line, with a date by which we answer and the clock stopped until then.

May touch: dunning (holds and promises), notices, payments, billing, access, kernel.
"""

"""People who answer people: a customer's place in line, a date by which we answer, the clock stopped until then.

May touch: dunning (holds and promises), notices, payments, billing, access, kernel.
"""

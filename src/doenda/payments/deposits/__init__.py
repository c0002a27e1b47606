"""Account numbers leased to a bill or to an account, and what arrives in them: by the bank's list or a statement.

A number serves one of them at a time and rests in between; every line of the bank is stored once and comes home through
the one outcome model, or is parked with an owner and a day. May touch payments, billing and the deposit bank.
"""

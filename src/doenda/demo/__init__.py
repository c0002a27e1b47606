"""The sample carrier, and the page on which one person is the customer, the bank's saboteur and the observer at once.

Everything here exists only in the demo and answers only to this machine. May touch every room; only app is above.
"""

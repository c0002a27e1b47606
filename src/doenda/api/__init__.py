"""Where other machines knock: providers' doorbells, routed to payments.

May touch: payments and what lies below.
"""

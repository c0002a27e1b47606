"""The line as it stands in the rows: entering it and being served, one transaction each.

Who locks several rows takes them in this order: account (or the caller's number), the turn (`rows.turn`), agent,
ticket. A channel only holds a ticket; renewing its lease touches no ticket, so that nobody is passed over meanwhile.
"""

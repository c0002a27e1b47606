"""Files from the carrier's billing: bills (CSV, TMF678 JSON) and payments taken elsewhere (CSV), all or nothing a file.

May touch billing and kernel. Pure: decode, lines, tmf678, judge; the database: stage, write, payments, run.
"""

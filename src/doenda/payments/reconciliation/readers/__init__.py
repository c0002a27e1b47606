"""Statement files, each form by its reader: bytes in, statements of the pure shape out; refused whole if anything in
them does not hold.

A reader touches no database. It names the place of what is wrong, and shows no account number.
"""

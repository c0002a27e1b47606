"""The rules of the line, pure: who is next, how long it takes, what is said of it, when and which number is dialled.

Nothing here knows a database, a clock or a network: instants come in as seconds or datetimes, policy as data. The
actions run these very rules, and `doenda bench queue` drives them in virtual time.
"""

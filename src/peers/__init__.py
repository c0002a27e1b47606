"""The world outside: a bank, a network switch and a handset network, made to fail on demand.

Each peer is a class of pure truth, callable without HTTP and with the caller's own clock, and a thin HTTP shell.
It may touch the standard library and its own journal file only; it listens on loopback and imports nothing of doenda.
"""

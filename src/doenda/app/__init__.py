"""Settings, URLs, the `doenda` command, the supervisor and the benches.

May touch every room; nothing imports it.
"""

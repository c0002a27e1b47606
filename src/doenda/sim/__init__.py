"""The simulator: the real house in seeded, faulty worlds, and what must hold in each of them.

Peers are classes in this process (or processes, for the conformance suite), moved from outside by `drivers/`; the
network, the commits and the clock are the kernel's seams. May touch every room below demo, and the peers.
"""

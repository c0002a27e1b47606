"""The ground: clock, ids, randomness, money, texts, the network and commit seams, outbox, facts, sweeps, PostgreSQL.

Every other room reaches time, chance, the network and the disk through here, so that a test can take their place.
May touch: nothing of doenda.
"""

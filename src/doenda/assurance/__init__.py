"""Ways, evidence, standing, leases, guidance, offers, exposure: what a customer may be told to do, and whom we misled.

May touch: kernel, access, billing. Learns outcomes only through `evidence.record`; names ways only through `guidance`.
"""

"""PortOne V2 (OpenAPI 1.16.0): card and account transfer by its script and hosted page, confirmed by us; deposit into
a virtual account that needs no browser. A thin client of our own: PortOne's SDK cannot send idempotency keys.
May touch: kernel/net, the providers' contract.
"""

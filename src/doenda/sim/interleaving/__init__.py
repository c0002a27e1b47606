"""Interleavings: a few actors with real connections, in every order in which their transactions and calls can fall.

`plans` enumerates the orders (pure), `engine` passes the baton from actor to actor, `scene` is the world of one run,
`scenarios/` say who acts and what must hold. May touch what the simulator may; `run.run` is what commands call.
"""

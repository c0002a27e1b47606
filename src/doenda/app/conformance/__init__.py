"""One suite of behaviours for every provider: what each must do by itself and through the whole house, to the won.

`run()` starts each provider's peer as a process and makes a throwaway database; the tests run the same behaviours with
peers inside their own process. A new provider is a driver in `drivers/`, and passes every row or says why it has none.
"""

from doenda.app.conformance.run import run

__all__ = ["run"]

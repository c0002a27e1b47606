"""The WSGI application that granian serves in `bench pay`: the real one, with the bench's bank at the network seam."""

from doenda.app.benches.pay_bank import bank
from doenda.app.wsgi import application
from doenda.kernel import net

__all__ = ["application"]

_seam = net.using(bank)
_seam.__enter__()  # for as long as this process lives

"""A bank at the network seam that says `paid` at once: what is left is our own work."""

import json

from doenda.kernel import net


def bank(request: net.Request) -> net.Reply:
    """What the sandbox bank answers to a confirmation that succeeds; anything else is a bench gone astray."""
    if request.method != "POST" or not request.url.endswith("/v1/payments/confirm"):
        raise net.NotSent(f"the bench's bank does not know {request.method} {request.url}")
    asked = json.loads(request.content)
    paid = {
        "payment_key": asked["payment_key"],
        "order_id": asked["order_id"],
        "amount": asked["amount"],
        "currency": "KRW",
        "merchant": "doenda",
        "status": "DONE",
    }
    return net.Reply(200, {}, json.dumps(paid).encode())

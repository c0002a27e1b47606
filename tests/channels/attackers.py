"""What a forger needs: to post anything to anywhere, with another page's fields."""

from django.conf import settings
from django.test import Client
from tests.channels.customers import Customer

from doenda.kernel import net

FORM = "application/x-www-form-urlencoded"


def post(path: str, body: bytes | str, kind: str = FORM, **headers: str) -> net.Reply:
    said = Client(raise_request_exception=False).generic("POST", path, body, content_type=kind, headers=headers)
    return net.Reply(said.status_code, {k.lower(): v for k, v in said.headers.items()}, said.content)


def fields_of(customer: Customer) -> dict[str, str]:
    return customer.page.forms[0].fields


def path_of(customer: Customer) -> str:
    return customer.page.url.removeprefix(settings.DOENDA_BASE_URL).partition("?")[0]

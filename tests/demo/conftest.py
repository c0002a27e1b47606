"""The demo page with peers in this process."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.test import Client
from django.urls import include, path
from tests.demo.demo_tools import BASE, World

from doenda.demo import jump, sample
from doenda.kernel import net
from doenda.payments import providers


@pytest.fixture
def world(settings: Any) -> Iterator[World]:
    """Bank, switch and handset network, well, and the settings that lead to them."""
    made = World()
    settings.DOENDA_DEMO = True
    settings.DOENDA_BASE_URL = BASE
    settings.DOENDA_PROVIDERS = {"sandbox": {**settings.DOENDA_PROVIDERS["sandbox"], "url": "http://bank"}}
    settings.DOENDA_SWITCH_URL, settings.DOENDA_HANDSET_URL = "http://switch", "http://handset"
    settings.ROOT_URLCONF = (path("demo/", include("doenda.demo.urls")),)
    providers.get.cache_clear()
    with ExitStack() as stack:
        stack.enter_context(net.using(made))
        yield made
    providers.get.cache_clear()


@pytest.fixture
def carrier_of_ten(db: None, world: World, noon: Any) -> sample.Loaded:
    """The cast and a few others, on 22 October 2014."""
    return sample.load(10, 5)


@pytest.fixture(autouse=True)
def quiet_desk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No jump was ever made."""
    monkeypatch.setattr(jump, "_desk", jump._Desk())


@pytest.fixture
def browse(client: Client, carrier_of_ten: sample.Loaded) -> Callable[..., str]:
    """A page's text."""

    def get(address: str = "/demo/") -> str:
        response = client.get(address)
        assert response.status_code == 200
        return response.content.decode()

    return get

"""The same walk in lynx, the oldest text browser still in use, by its keys; it needs lynx and tmux."""

import tempfile

from doenda.channels.web.in_w3m import Screen, needs, walk_screen
from doenda.channels.web.walker import SIGNS, Hand, Walk


def pay(url: str, *, method: str = "card", hand: Hand | None = None) -> Walk:
    """Open a link in lynx (in English, whose labels are ASCII) and pay by what is offered first, which is `method`, to
    the receipt; by debit to the promise. Raises NoBrowser."""
    needs("lynx", "tmux")
    with tempfile.TemporaryDirectory() as folder:
        screen = Screen(["lynx", "-nopause", "-nocolor", f"{url}?lang=en"], folder)
        return walk_screen(screen, _press, _sign, method, hand)


def _press(screen: Screen, label: str) -> None:
    """Search for the button's label, which also steps onto it, and press it."""
    screen.keys("/")
    screen.type(label)
    screen.keys("Enter", "Enter")


def _sign(screen: Screen) -> None:
    """Field by field, with the arrow down; what is typed goes into the field on which it stands."""
    screen.keys("Down", "Down", "Enter", "Down", "Down", "Enter")
    for name in ("number", "holder", "birth"):
        screen.keys("Down")
        screen.type(SIGNS[name] if name != "holder" else "Kim Minsu")
    screen.keys("Down", "Enter")

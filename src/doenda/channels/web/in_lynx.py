"""The same walk in lynx, the oldest text browser still in use, by its keys; it needs lynx and tmux."""

import tempfile

from doenda.channels.web.in_w3m import Screen, needs, walk_screen
from doenda.channels.web.walker import Walk


def pay(url: str) -> Walk:
    """Open a link in lynx (in English, whose labels are ASCII) and pay by card to the receipt. Raises NoBrowser."""
    needs("lynx", "tmux")
    with tempfile.TemporaryDirectory() as folder:
        return walk_screen(Screen(["lynx", "-nopause", "-nocolor", f"{url}?lang=en"], folder), _press)


def _press(screen: Screen, label: str) -> None:
    """Search for the button's label, which also steps onto it, and press it."""
    screen.keys("/")
    screen.type(label)
    screen.keys("Enter", "Enter")

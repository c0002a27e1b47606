"""The same walk in w3m, a text browser without scripts or cookies, by its keys; it needs w3m and tmux."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable

from doenda.channels.web.in_chromium import NoBrowser
from doenda.channels.web.walker import SIGNS, Hand, Walk
from doenda.kernel import clock

_SETTLE = 0.3


class Screen:
    """A terminal of 100 × 60 with one program in it."""

    def __init__(self, command: list[str], folder: str) -> None:
        self.socket = os.path.join(folder, "tmux")  # noqa: PTH118 - a plain name for tmux
        env = {**os.environ, "LC_ALL": "C.UTF-8", "HOME": folder, "TERM": "xterm"}
        self._tmux("new-session", "-d", "-s", "t", "-x", "100", "-y", "60", *command, env=env)

    def _tmux(self, *args: str, env: dict[str, str] | None = None) -> str:
        argv = ["tmux", "-S", self.socket, "-f", "/dev/null", *args]
        return subprocess.run(argv, capture_output=True, text=True, check=False, env=env).stdout  # noqa: S603

    def text(self) -> str:
        return self._tmux("capture-pane", "-p", "-t", "t")

    def keys(self, *keys: str) -> None:
        for key in keys:
            self._tmux("send-keys", "-t", "t", key)
            clock.sleep(0.15)

    def type(self, words: str) -> None:
        self._tmux("send-keys", "-t", "t", "-l", words)
        clock.sleep(0.15)

    def wait(self, words: str, seconds: float = 15.0) -> bool:
        deadline = clock.monotonic() + seconds
        while clock.monotonic() < deadline:
            if words in self.text():
                clock.sleep(_SETTLE)
                return True
            clock.sleep(0.05)
        return False

    def close(self) -> None:
        self._tmux("kill-server")


type Press = Callable[[Screen, str], None]
type Sign = Callable[[Screen], None]


def needs(*tools: str) -> None:
    """Raises NoBrowser naming the first that is not installed."""
    for tool in tools:
        if shutil.which(tool) is None:
            raise NoBrowser(f"{tool} is not installed")


def pay(url: str, *, method: str = "card", hand: Hand | None = None) -> Walk:
    """Open a link in w3m (in English, whose labels are ASCII) and pay by what is offered first, which is `method`, to
    the receipt; by debit to the promise. Raises NoBrowser."""
    needs("w3m", "tmux")
    with tempfile.TemporaryDirectory() as folder:
        screen = Screen(["w3m", "-o", "auto_image=FALSE", "-o", "use_cookie=0", f"{url}?lang=en"], folder)
        return walk_screen(screen, _press, _sign, method, hand)


def walk_screen(screen: Screen, press: Press, sign: Sign, method: str = "card", hand: Hand | None = None) -> Walk:
    """Walk a text browser that has the link open, and close it. `sign` fills in the form for a debit."""
    begun = clock.monotonic()
    try:
        steps, trouble = _walk(screen, press, sign, method, hand)
        text = screen.text()
    finally:
        screen.close()
    outcome = steps[-1] if trouble else "promised" if method == "debit" else "paid"
    return Walk(outcome, tuple(steps), clock.monotonic() - begun, text, trouble)


# step, words that show that the page is there, words of the button that no text before it has
_BEGIN = (("pay.bill", "are unpaid", "Pay "), ("pay.method", "Back to", " this way"))
_BY_CARD = (("provider", "Approve", " Approve"), ("pay.away.returned", "Is this right?", "Pay "))
_BY_NUMBER = (("pay.account", "I have paid", "I have paid"),)
_BY_DEBIT = (("pay.mandate", "Which account", "Register this"),)
_STEPS = {"deposit": _BY_NUMBER, "store": _BY_NUMBER, "debit": _BY_DEBIT}
_NUMBER = re.compile(r"^\s*(\d{8,20})\s*$", re.MULTILINE)
_AMOUNT = re.compile(r"KRW ([\d,]+)")


def _walk(screen: Screen, press: Press, sign: Sign, method: str, hand: Hand | None) -> tuple[list[str], str]:
    steps: list[str] = []
    for step, shows, button in (*_BEGIN, *_STEPS.get(method, _BY_CARD)):
        if not screen.wait(shows):
            return steps or ["nowhere"], f"{step} did not come up:\n{screen.text()}"
        steps.append(step)
        if step == "pay.account" and hand is not None:
            number, amount = _NUMBER.search(screen.text()), _AMOUNT.search(screen.text())
            if number is None or amount is None:
                return steps, f"no number to pay into:\n{screen.text()}"
            hand(number[1], int(amount[1].replace(",", "")))
        if step == "pay.mandate":
            sign(screen)
        press(screen, button)
    last, shows = ("pay.promised", "The debit is arranged") if method == "debit" else ("pay.paid", "Receipt number")
    if not screen.wait(shows):
        return steps, f"no end:\n{screen.text()}"
    return [*steps, last], ""


def _sign(screen: Screen) -> None:
    """Field by field, each edited in the line at the bottom; a list is chosen from with the arrows."""
    screen.keys("/")
    screen.type("^Bank")
    screen.keys("Enter", "Tab", "Enter", "Down", "Down", "Enter")
    for name in ("number", "holder", "birth"):
        screen.keys("Tab", "Enter")
        screen.type(SIGNS[name] if name != "holder" else "Kim Minsu")
        screen.keys("Enter")
    screen.keys("Tab", "Enter")


def _press(screen: Screen, label: str) -> None:
    """Search for the button's label, and press it."""
    screen.keys("/")
    screen.type(label)
    screen.keys("Enter", "Enter")

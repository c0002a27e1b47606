"""The same walk in w3m, a text browser without scripts or cookies, by its keys; it needs w3m and tmux."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable

from doenda.channels.web.in_chromium import NoBrowser
from doenda.channels.web.walker import Walk
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


def needs(*tools: str) -> None:
    """Raises NoBrowser naming the first that is not installed."""
    for tool in tools:
        if shutil.which(tool) is None:
            raise NoBrowser(f"{tool} is not installed")


def pay(url: str) -> Walk:
    """Open a link in w3m (in English, whose labels are ASCII) and pay by card to the receipt. Raises NoBrowser."""
    needs("w3m", "tmux")
    with tempfile.TemporaryDirectory() as folder:
        screen = Screen(["w3m", "-o", "auto_image=FALSE", "-o", "use_cookie=0", f"{url}?lang=en"], folder)
        return walk_screen(screen, _press)


def walk_screen(screen: Screen, press: Press) -> Walk:
    """Walk a text browser that has the link open, and close it."""
    begun = clock.monotonic()
    try:
        steps, trouble = _walk(screen, press)
        text = screen.text()
    finally:
        screen.close()
    return Walk("paid" if not trouble else steps[-1], tuple(steps), clock.monotonic() - begun, text, trouble)


_STEPS = (
    # step, words that show that the page is there, words of the button that no text before it has
    ("pay.bill", "are unpaid", "Pay "),
    ("pay.method", "Back to", " this way"),
    ("provider", "Approve", " Approve"),
    ("pay.away.returned", "Is this right?", "Pay "),
)


def _walk(screen: Screen, press: Press) -> tuple[list[str], str]:
    steps: list[str] = []
    for step, sign, button in _STEPS:
        if not screen.wait(sign):
            return steps or ["nowhere"], f"{step} did not come up:\n{screen.text()}"
        steps.append(step)
        press(screen, button)
    if not screen.wait("Receipt number"):
        return steps, f"no receipt:\n{screen.text()}"
    return [*steps, "pay.paid"], ""


def _press(screen: Screen, label: str) -> None:
    """Search for the button's label, and press it."""
    screen.keys("/")
    screen.type(label)
    screen.keys("Enter", "Enter")

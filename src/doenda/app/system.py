"""The processes of one installation on one machine, as the supervisor runs them: `doenda up` and `doenda demo`.

Production runs each as a service of its own; here they share a data folder, free ports on loopback, and a supervisor.
"""

import http.client
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from doenda.app.environment import secrets_of, urls
from doenda.app.supervisor import Service, free_port
from doenda.kernel import embedded, randomness

PYTHON = sys.executable


@dataclass(frozen=True)
class Layout:
    """Where everything listens (loopback) and keeps its files."""

    data: Path
    ports: Mapping[str, int]
    demo: bool
    peers: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.ports['web']}"

    def peer(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"


OFFERED = ("sandbox", "deposit", "debit", "counter")
"""The providers that a demonstration offers to its customers unless others are named."""
PEERS = {"sandbox": "bank", "deposit": "deposits", "debit": "clearing", "toss": "toss", "portone": "portone"}
"""The fake behind each provider; the counter has none, its truth is our own."""
PROVIDERS = {peer: provider for provider, peer in PEERS.items()}
_TAKE_DEPOSITS = ("deposits", "toss", "portone")
_PORTS = {"bank": 8101, "switch": 8102, "handset": 8103, "deposits": 8104, "clearing": 8105, "toss": 8106}
_DRAWN = range(10_000, 30_000)
"""Below what operating systems give to outgoing connections: else one of those may hold a dead process's port."""
_URLS = {"bank": "SANDBOX"}


def lay_out(data: Path, *, demo: bool, port: int = 8000, offered: Sequence[str] = OFFERED) -> Layout:
    """Choose ports (the named one if it is free), and the environment that all processes share.

    `offered`: the providers of a demonstration, with the fake that stands behind each. Port 0: any, for a throwaway
    system; then all ports are drawn, so that two such systems do not take each other's while a process is dead.
    """
    peers = (*(PEERS[name] for name in offered if name in PEERS), "switch", "handset") if demo else ()
    usual = {"web": port, "live": 8090, **{name: _PORTS.get(name, 8107) for name in peers}}
    ports = _ports(**(usual if port else dict.fromkeys(usual, _DRAWN.start + randomness.below(len(_DRAWN)))))
    layout = Layout(data, ports, demo, peers)
    layout.env.update(
        {
            "DOENDA_DATA": str(data),
            "DOENDA_BASE_URL": os.environ.get("DOENDA_BASE_URL", layout.base),
            "DOENDA_LIVE_URL": os.environ.get("DOENDA_LIVE_URL", f"http://127.0.0.1:{ports['live']}/live"),
            **secrets_of(data),
            "PYTHONUNBUFFERED": "1",
        }
    )
    if demo:
        layout.env.update(
            DOENDA_DEMO="1",
            DOENDA_NOTICE_LINKS="1",
            DOENDA_OFFERED=",".join(offered),
            SANDBOX_WEBHOOK_URL=f"{layout.base}/webhooks/sandbox",
            DEPOSIT_WEBHOOK_URL=f"{layout.base}/webhooks/deposit",
            TOSS_WEBHOOK_URL=f"{layout.base}/webhooks/toss",
            PORTONE_WEBHOOK_URL=f"{layout.base}/webhooks/portone",
        )
        layout.env.update({f"DOENDA_{_URLS.get(name, name.upper())}_URL": layout.peer(name) for name in peers})
        hands = {PROVIDERS[peer]: layout.peer(peer) for peer in peers if peer in _TAKE_DEPOSITS}
        layout.env.update(
            DOENDA_WALKED=",".join(offered),
            DOENDA_DEPOSIT_HAND_URL=",".join(f"{name}={url}/_control/deposits" for name, url in hands.items()),
        )
    return layout


def _ports(**wanted: int) -> dict[str, int]:
    """The wanted ports, or free ones near them; all different, though none is bound yet."""
    found: dict[str, int] = {}
    for name, preferred in wanted.items():
        port = free_port(preferred)
        while port in found.values():
            port = free_port(port + 1)
        found[name] = port
    return found


def answers(port: int, path: str) -> Callable[[], bool]:
    """Whether somebody answers on that port of loopback with anything but a fault of its own."""

    def ready() -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
        try:
            connection.request("GET", path)
            return connection.getresponse().status < 500
        except OSError:
            return False
        finally:
            connection.close()

    return ready


def services(layout: Layout, *, database: bool = True, settings: Mapping[str, str] | None = None) -> list[Service]:
    """Everything to run, in the order of starting. `database` False: DATABASE_URL names a server of somebody else's."""
    postgres = [_postgres(layout, settings)] if database else []
    migrate = _manage(layout, "migrate", "--database", "owner", "-v", "0", name="migrate", restart=False)
    peers = [_peer(layout, name) for name in layout.peers]
    ours = [_web(layout), _live(layout), _manage(layout, "worker"), _manage(layout, "prober")]
    return [
        *postgres,
        replace(migrate, depends=[one.name for one in postgres]),
        *peers,
        *(replace(one, depends=["migrate"]) for one in ours),
    ]


def _postgres(layout: Layout, settings: Mapping[str, str] | None) -> Service:
    def keep() -> int | None:
        server = embedded.ensure(layout.data, settings=settings)
        layout.env.update(urls(server))
        return server.pid

    def release() -> None:
        embedded.ensure(layout.data, settings=settings).stop()

    return Service("postgres", keep=keep, release=release)


def _manage(layout: Layout, command: str, *options: str, name: str = "", restart: bool = True) -> Service:
    argv = [PYTHON, "-m", "doenda.app.cli", command, *options]
    return Service(name or command, argv, env=layout.env, restart=restart)


def _peer(layout: Layout, name: str) -> Service:
    port = layout.ports[name]
    journal = layout.data / f"{name}.jsonl"
    argv = [PYTHON, "-m", f"peers.{name}", "--port", str(port), "--journal", str(journal)]
    return Service(name, argv, env=layout.env, ready=answers(port, "/_control/health"))


def _web(layout: Layout) -> Service:
    port = layout.ports["web"]
    argv = web_argv(port, workers=1 if layout.demo else None)  # the demo's panel keeps its jump in the process
    return Service("web", argv, env=layout.env, ready=answers(port, "/health"))


def _live(layout: Layout) -> Service:
    port = layout.ports["live"]
    argv = [PYTHON, "-m", "doenda.app.cli", "live", "--port", str(port)]
    return Service("live", argv, env=layout.env, ready=answers(port, "/live/health"))


def web_argv(port: int, application: str = "doenda.app.wsgi:application", *, workers: int | None = None) -> list[str]:
    """How the web process is started, here and in benches; without `workers` one a core, at most 4."""
    workers = workers or min(4, os.cpu_count() or 1)
    return [
        *(PYTHON, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)),
        *("--workers", str(workers), "--blocking-threads", "16", "--no-ws", "--log-level", "warning"),
        application,
    ]

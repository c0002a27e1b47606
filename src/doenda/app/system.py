"""The processes of one installation on one machine, as the supervisor runs them: `doenda up` and `doenda demo`.

Production runs each as a service of its own; here they share a data folder, free ports on loopback, and a supervisor.
"""

import http.client
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from doenda.app.environment import secrets_of, urls
from doenda.app.supervisor import Service, free_port
from doenda.kernel import embedded

PYTHON = sys.executable


@dataclass(frozen=True)
class Layout:
    """Where everything listens (loopback) and keeps its files."""

    data: Path
    ports: Mapping[str, int]
    demo: bool
    env: dict[str, str] = field(default_factory=dict)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.ports['web']}"

    def peer(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"


def lay_out(data: Path, *, demo: bool, port: int = 8000) -> Layout:
    """Choose ports (the named one if it is free), and the environment that all processes share."""
    layout = Layout(data, _ports(web=port, bank=8101, switch=8102, handset=8103), demo)
    layout.env.update(
        {
            "DOENDA_DATA": str(data),
            "DOENDA_BASE_URL": os.environ.get("DOENDA_BASE_URL", layout.base),
            **secrets_of(data),
            "PYTHONUNBUFFERED": "1",
        }
    )
    if demo:
        layout.env.update(
            DOENDA_DEMO="1",
            DOENDA_NOTICE_LINKS="1",
            DOENDA_SANDBOX_URL=layout.peer("bank"),
            DOENDA_SWITCH_URL=layout.peer("switch"),
            DOENDA_HANDSET_URL=layout.peer("handset"),
            SANDBOX_WEBHOOK_URL=f"{layout.base}/webhooks/sandbox",
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
    peers = [_peer(layout, name) for name in ("bank", "switch", "handset")] if layout.demo else []
    ours = [_web(layout), _manage(layout, "worker"), _manage(layout, "prober")]
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


def web_argv(port: int, application: str = "doenda.app.wsgi:application", *, workers: int | None = None) -> list[str]:
    """How the web process is started, here and in benches; without `workers` one a core, at most 4."""
    workers = workers or min(4, os.cpu_count() or 1)
    return [
        *(PYTHON, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)),
        *("--workers", str(workers), "--blocking-threads", "16", "--no-ws", "--log-level", "warning"),
        application,
    ]

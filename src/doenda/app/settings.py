"""Settings: `DOENDA_*` and `DATABASE_URL` from the environment; a secret NAME may stand in the file NAME_FILE."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from doenda.app.providers import offered_by, providers_of
from doenda.app.text_messages import gateway_of, smpp_of
from doenda.kernel.database import pooled


def _env(name: str, default: str = "") -> str:
    named = os.environ.get(f"{name}_FILE")
    if named:
        return Path(named).read_text(encoding="utf-8").strip()
    return os.environ.get(name, default)


def _flag(name: str, default: bool = False) -> bool:
    return _env(name, "1" if default else "0").lower() in {"1", "true", "yes", "on"}


def database_of(url: str, pool: int) -> dict[str, object]:
    """A Django database from postgresql://user:password@host:port/name?host=/socket/folder."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ValueError(f"DATABASE_URL must begin with postgresql://, not {parts.scheme!r}")
    query = dict(parse_qsl(parts.query))
    host = query.pop("host", None) or unquote(parts.hostname or "")
    port = query.pop("port", None) or parts.port
    options: dict[str, object] = dict(query)
    # Values travel apart from the text, so that the server plans a statement once a connection (docs/bench.md).
    options["server_side_binding"] = True
    options["prepare_threshold"] = int(_env("DOENDA_PREPARE", "5")) or None  # 0: behind a PgBouncer older than 1.21
    options["options"] = "-c lock_timeout=8s -c idle_in_transaction_session_timeout=60s"
    if pool:
        options["pool"] = {
            "min_size": 1,
            "max_size": pool,
            "timeout": 8.0,
            "check": pooled.check,
            "reconnect_timeout": pooled.RECONNECT_SECONDS,
        }
    return {
        "ENGINE": "doenda.kernel.database",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(port or ""),
        "OPTIONS": options,
        "ATOMIC_REQUESTS": False,
        "DISABLE_SERVER_SIDE_CURSORS": False,
    }


DOENDA_DEMO = _flag("DOENDA_DEMO")
DOENDA_MOVABLE_CLOCK = DOENDA_DEMO or _flag("DOENDA_MOVABLE_CLOCK")
DOENDA_STRICT = _flag("DOENDA_STRICT")  # tests and simulation: a write outside a transaction is refused
DOENDA_NOTICE_LINKS = _flag("DOENDA_NOTICE_LINKS", DOENDA_DEMO)  # off: texts carry a code and no link
DOENDA_ZONE = _env("DOENDA_ZONE", "Asia/Seoul")
DOENDA_COUNTRY = _env("DOENDA_COUNTRY", "KR")
DOENDA_CARRIER = {
    "ko": _env("DOENDA_CARRIER_KO", "된다통신"),
    "en": _env("DOENDA_CARRIER_EN", "Doenda Telecom"),
}
DOENDA_CALL = _env("DOENDA_CALL", "02-2014-1023")  # can be dialled from any phone; 114 only from the carrier's own
DOENDA_BASE_URL = _env("DOENDA_BASE_URL", "http://127.0.0.1:8000").rstrip("/")
DOENDA_PROVIDERS: dict[str, dict[str, Any]] = providers_of(_env)
DOENDA_OFFERED = offered_by(_env)
if _unknown := [name for name in DOENDA_OFFERED if name not in DOENDA_PROVIDERS]:
    raise ImproperlyConfigured(f"DOENDA_OFFERED names {', '.join(_unknown)}, which has no address or key here")
# Providers whose page (or the stand-in for it) a walker can finish: only these are proven by synthetic walks.
DOENDA_WALKED = [name for name in _env("DOENDA_WALKED", "sandbox").split(",") if name]
# Real browsers in which the prober walks besides ("chromium"): each must be installed where a prober runs.
DOENDA_BROWSERS = [name for name in _env("DOENDA_BROWSERS", "").split(",") if name]
DOENDA_DEPOSIT_HAND_URL = _env("DOENDA_DEPOSIT_HAND_URL")  # who puts money into an account number for a walk, if any
DOENDA_PROBE_SCHEDULES = _env("DOENDA_PROBE_SCHEDULES")  # a file like probes/schedules.toml
DOENDA_CALENDARS = _env("DOENDA_CALENDARS")  # a file like assurance/calendars.toml
# The telephone: where Asterisk's REST interface answers, and where spoken and recorded prompts lie (read by Asterisk).
DOENDA_LIVE_URL = _env("DOENDA_LIVE_URL").rstrip("/")  # where browsers reach `doenda live`; "": pages ask by a button
DOENDA_ARI_URL = _env("DOENDA_ARI_URL")
DOENDA_ARI_USER = _env("DOENDA_ARI_USER", "doenda")
DOENDA_ARI_PASSWORD = _env("DOENDA_ARI_PASSWORD")
DOENDA_SIP_ADDRESS = _env("DOENDA_SIP_ADDRESS")  # "host:port": where synthetic callers place their calls, if any
# Where Asterisk rings an agent's telephone, and a customer who asked for it; without a trunk nobody is called back.
DOENDA_AGENT_DIAL = _env("DOENDA_AGENT_DIAL", "PJSIP/{agent}")
DOENDA_TRUNK_DIAL = _env("DOENDA_TRUNK_DIAL")  # "PJSIP/{number}@trunk"
DOENDA_RELAYS = [each for each in _env("DOENDA_RELAYS", "107").split(",") if each]  # numbers of relay services
DOENDA_PROMPTS = _env("DOENDA_PROMPTS", "/tmp/doenda-prompts")  # noqa: S108
DOENDA_PAGER_URL = _env("DOENDA_PAGER_URL")  # where a person on duty is called: gets a POST of JSON
DOENDA_CONTROL_URL = _env(
    "DOENDA_CONTROL_URL"
)  # pages beyond our own network that show a runner that it reaches others
DOENDA_SEALING_KEYS = [key for key in _env("DOENDA_SEALING_KEYS").split(",") if key]  # newest first (Fernet)
DOENDA_IMPORT_MAX_BYTES = int(_env("DOENDA_IMPORT_MAX_BYTES", str(512 * 1024 * 1024)))
DOENDA_SWITCH_URL = _env("DOENDA_SWITCH_URL", "http://127.0.0.1:8102")
DOENDA_HANDSET_URL = _env("DOENDA_HANDSET_URL", "http://127.0.0.1:8103")
DOENDA_GATEWAY = gateway_of(_env)
DOENDA_SMPP: dict[str, Any] = smpp_of(_env, DOENDA_CALL)
DOENDA_LOOP_NUMBER = _env("DOENDA_LOOP_NUMBER")  # a number of the carrier's own, E.164: loop texts prove the gateway
# Link and code keys by id, newest last: the newest signs, all verify, so that a key can be rotated.
DOENDA_LINK_KEYS = dict(
    pair.split(":", 1) for pair in _env("DOENDA_LINK_KEYS", "1:not-a-secret-outside-demo-and-tests").split(",")
)

DOENDA_TRUSTED_PROXIES = [p for p in _env("DOENDA_TRUSTED_PROXIES").split(",") if p]  # addresses of our own proxies

SECRET_KEY = _env("DOENDA_SECRET_KEY", "not-a-secret-outside-demo-and-tests")
DEBUG = False
ALLOWED_HOSTS = [h for h in _env("DOENDA_HOSTS", "127.0.0.1,localhost").split(",") if h]
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "ko"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "access.User"
ROOT_URLCONF = "doenda.app.urls"
WSGI_APPLICATION = "doenda.app.wsgi.application"
APPEND_SLASH = False

_POOL = int(_env("DOENDA_POOL", "16"))
_URL = _env("DATABASE_URL", "postgresql://doenda_app@/doenda?host=/nowhere")
DATABASES = {
    "default": database_of(_URL, _POOL),
    # The same database as the role that owns the tables: migrations only.
    "owner": database_of(_env("DATABASE_OWNER_URL", _URL), 0) | {"TEST": {"MIRROR": "default"}},
}

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.postgres",
    "procrastinate.contrib.django",
    "doenda.kernel",
    "doenda.access",
    "doenda.billing",
    "doenda.assurance",
    "doenda.notices",
    "doenda.payments",
    "doenda.dunning",
    "doenda.contact",
    "doenda.journeys",
    "doenda.channels",
    "doenda.probes",
    "doenda.api",
    "doenda.sim",
    "doenda.demo",
    "doenda.app",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.csp"]},
    }
]
# No script anywhere for customers; styles are inlined under a nonce; forms may lead to a provider's own page.
SECURE_CSP = {
    "default-src": ["'none'"],
    "style-src": ["<CSP_NONCE_SENTINEL>"],
    "img-src": ["'self'", "data:"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
}
SECURE_REFERRER_POLICY = "no-referrer"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin-allow-popups"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 100_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 50

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": _env("DOENDA_LOG", "INFO")},
    "loggers": {"httpx": {"level": "WARNING"}, "procrastinate": {"level": "WARNING"}, "httpcore": {"level": "WARNING"}},
}

"""The WSGI application that granian serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "doenda.app.settings")
application = get_wsgi_application()

from doenda.app.environment import require_secrets  # noqa: E402 - needs the apps to be loaded
from doenda.kernel.jobs import install_nudges  # noqa: E402

require_secrets()
install_nudges()

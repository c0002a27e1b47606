"""The WSGI application that granian serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "doenda.app.settings")
application = get_wsgi_application()

from doenda.kernel.jobs import install_nudges  # noqa: E402 - needs the apps to be loaded

install_nudges()

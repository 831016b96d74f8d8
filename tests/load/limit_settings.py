"""The hub's settings with nothing around the view: the same database, pool and drivers, no middleware."""

from supporthub.settings.local import *  # noqa: F403  (Django's settings modules inherit by import)

MIDDLEWARE = []
ROOT_URLCONF = "tests.load.limit_view"
ASGI_APPLICATION = "tests.load.limit_asgi.application"

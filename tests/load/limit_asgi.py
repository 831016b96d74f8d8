"""The limit of intake as an ASGI application; started with `tests.load.limit_settings`."""

from django.core.asgi import get_asgi_application

application = get_asgi_application()

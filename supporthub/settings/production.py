"""Containers behind a TLS proxy, with managed PostgreSQL and Redis. Nothing is filled in; the sandbox is refused."""

from supporthub.settings.base import *  # noqa: F403  (Django's settings modules inherit by import)
from supporthub.settings.base import SANDBOX_ACTIVE, STORAGES, env
from supporthub.settings.env import SettingsError

if SANDBOX_ACTIVE or env.text("SUPPORTHUB_SANDBOX", ""):
    raise SettingsError(["SUPPORTHUB_SANDBOX is set: the sandbox is for `make run` and tests, unset it in production"])

SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", True)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = env.integer("SECURE_HSTS_SECONDS", 31_536_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
WHITENOISE_USE_FINDERS = False
STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
env.finish()

"""Settings shared by every environment. Each variable is described in docs/operations.md."""

import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import django_stubs_ext
import environ
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from supporthub.core.logging import logging_config
from supporthub.settings.admin_theme import UNFOLD  # noqa: F401
from supporthub.settings.entra import check_entra, check_gateway
from supporthub.settings.env import Env
from supporthub.settings.files import read_files

# Before any model or form is defined: their classes are generic in type annotations only.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent.parent
env = Env()

DEBUG = False
DATA_DIR = Path(env.text("DATA_DIR", str(BASE_DIR / "var"))).resolve()
SECRET_KEY = env.text("SECRET_KEY")
ENCRYPTION_KEYS = env.text("ENCRYPTION_KEYS").split(",")
AUDIT_KEYS = env.named_keys("AUDIT_KEY")
AUDIT_ANCHOR_ROWS = env.integer("AUDIT_ANCHOR_ROWS", 10_000, least=1)
AUDIT_ANCHOR_MINUTES = env.integer("AUDIT_ANCHOR_MINUTES", 10, least=1)
PUBLIC_URL = env.url("PUBLIC_URL", f"http://127.0.0.1:{os.environ.get('PORT', '8000')}")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", f"{urlsplit(PUBLIC_URL).hostname},127.0.0.1,localhost")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS", PUBLIC_URL)
REVERSE_PROXY_COUNT = env.integer("REVERSE_PROXY_COUNT", 0)

# --- The one idea: deliveries -------------------------------------------------------------------------------------
DELIVERY_TIME_SCALE = env.number("DELIVERY_TIME_SCALE", 1.0, least=0.001)
SANDBOX_ACTIVE = env.words("SUPPORTHUB_SANDBOX_ACTIVE")
TICKET_KEY_PREFIX = env.text("TICKET_KEY_PREFIX", "HUB")

# --- Jira ---------------------------------------------------------------------------------------------------------
JIRA_CONFIGURED = env.all_or_none("ATLASSIAN_URL", "ATLASSIAN_USER", "ATLASSIAN_API_TOKEN")
ATLASSIAN_URL = env.url("ATLASSIAN_URL", "")
ATLASSIAN_USER = env.text("ATLASSIAN_USER", "")
ATLASSIAN_API_TOKEN = env.text("ATLASSIAN_API_TOKEN", "")
JIRA_CONNECT_TIMEOUT = env.number("JIRA_CONNECT_TIMEOUT", 5.0, least=0.1)
JIRA_READ_TIMEOUT = env.number("JIRA_READ_TIMEOUT", 60.0, least=0.1)
JIRA_UPLOAD_TIMEOUT = env.number("JIRA_UPLOAD_TIMEOUT", 300.0, least=1)
JIRA_TICKET_TYPE = env.text("JIRA_TICKET_TYPE", "Task")
JIRA_TICKET_LABELS = env.words("JIRA_TICKET_LABELS", "helpdesk")

# --- Entra ID -----------------------------------------------------------------------------------------------------
AUTH_MODE = env.choice("AUTH_MODE", "jwt", ("jwt", "gateway"))
ENTRA_AUTHORITY = env.url("ENTRA_AUTHORITY", "https://login.microsoftonline.com")
ENTRA_TENANT_ID = env.guid("ENTRA_TENANT_ID")
ENTRA_CLIENT_ID = env.guid("ENTRA_CLIENT_ID")
ENTRA_CLIENT_SECRET = env.text("ENTRA_CLIENT_SECRET", "")
ENTRA_CERTIFICATE = env.text("ENTRA_CERTIFICATE", "")  # PEM, like the key
ENTRA_PRIVATE_KEY = env.text("ENTRA_PRIVATE_KEY", "")
ENTRA_PRIVATE_KEY_PASSPHRASE = env.text("ENTRA_PRIVATE_KEY_PASSPHRASE", "")
ENTRA_CERTIFICATE_THUMBPRINT = env.text("ENTRA_CERTIFICATE_THUMBPRINT", "").replace(":", "").lower()  # SHA-1, for AD FS
ENTRA_CONFIGURED = bool(ENTRA_TENANT_ID and ENTRA_CLIENT_ID)
ENTRA_SIGN_IN = ENTRA_CONFIGURED and bool(ENTRA_CLIENT_SECRET or ENTRA_PRIVATE_KEY)
ENTRA_CONNECT_TIMEOUT = env.number("ENTRA_CONNECT_TIMEOUT", 3.0, least=0.1)
ENTRA_READ_TIMEOUT = env.number("ENTRA_READ_TIMEOUT", 5.0, least=0.1)
ENTRA_KEY_REFRESH_SECONDS = env.integer("ENTRA_KEY_REFRESH_SECONDS", 300, least=1)
GATEWAY_APP_IDS = frozenset(env.guids("GATEWAY_APP_IDS"))
GATEWAY_SECRET_HEADER = env.header("GATEWAY_SECRET_HEADER")
GATEWAY_SECRETS = env.words("GATEWAY_SECRETS")
GATEWAY_CERT_HEADER = env.header("GATEWAY_CERT_HEADER")
GATEWAY_CERT_FINGERPRINTS = frozenset(env.digests("GATEWAY_CERT_FINGERPRINTS"))
# The tray client's two calls: there as soon as somebody can prove who they are.
TRAY_API = env.flag("TRAY_API", ENTRA_CONFIGURED or AUTH_MODE == "gateway")
TRAY_SUBMISSIONS_PER_TOKEN = env.integer("TRAY_SUBMISSIONS_PER_TOKEN", 1, least=1)
check_entra(env, gateway_mode=AUTH_MODE == "gateway")
check_gateway(env, gateway_mode=AUTH_MODE == "gateway")

# --- Applications -------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "supporthub.core.admin_config.HubAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "axes",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "django_htmx",
    "channels",
    "supporthub.runtime",
    "supporthub.core",
    "accounts",
    "directory",
    "tickets",
]
MIDDLEWARE = [
    "supporthub.core.middleware.request_context",
    "django.middleware.security.SecurityMiddleware",
    "supporthub.core.middleware.GZip",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.person_preferences",
    "accounts.middleware.sign_in_in_use",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "supporthub.urls"
ASGI_APPLICATION = "supporthub.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "supporthub.core.context.hub",
            ],
        },
    }
]

# --- Data ---------------------------------------------------------------------------------------------------------
DATABASES = {"default": environ.Env.db_url_config(env.text("DATABASE_URL") or "postgres:///missing")}
DATABASES["default"].update(
    # Connections live in a pool, not in threads: sockets, requests and tasks come from different ones.
    CONN_MAX_AGE=0,
    CONN_HEALTH_CHECKS=True,
    OPTIONS={
        "pool": {"min_size": 1, "max_size": env.integer("DATABASE_POOL_SIZE", 20, least=1), "timeout": 10},
        "connect_timeout": 5,
        # The statements of the hot paths (core/compiled.py) are prepared; off for poolers that cannot follow that.
        "prepare_threshold": 2 if env.flag("DATABASE_PREPARE", True) else None,
    },
)
# Requests at the same time in one process; the live hub's own threads (4) need connections of the pool, too.
WEB_THREADS = env.integer("WEB_THREADS", 16, least=1)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.text("REDIS_URL")
_REDIS_TIMEOUTS = {"socket_connect_timeout": 0.2, "socket_timeout": 0.5}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "hub",
        "TIMEOUT": 300,
        "OPTIONS": _REDIS_TIMEOUTS,
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": "hub"},
    }
}

# --- Background work ----------------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False
CELERY_TASK_DEFAULT_QUEUE = "celery"
CELERY_TASK_ROUTES = {
    "tickets.tasks.submit_ticket": {"queue": "tracker"},
    "tickets.tasks.change_issue": {"queue": "tracker"},
    "tickets.tasks.send_file": {"queue": "tracker"},
}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 2, "socket_timeout": 30, "visibility_timeout": 3600}
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
CELERY_TIMEZONE = "UTC"

# --- Who is calling -----------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
REQUIRE_TOTP = env.flag("REQUIRE_TOTP", False)  # leads and admins need one-time codes beside their password
# While people sign in with Microsoft, passwords are for emergencies only, unless this says `always`.
PASSWORD_SIGN_IN = env.choice("PASSWORD_SIGN_IN", "auto", ("auto", "always"))
CSRF_FAILURE_VIEW = "supporthub.core.error_pages.csrf_failure"
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "queue"
LOGOUT_REDIRECT_URL = "sign-in"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
# Lockout lives in PostgreSQL (axes' database handler): it must hold while Redis is down.
AXES_FAILURE_LIMIT = env.integer("SIGN_IN_FAILURE_LIMIT", 5, least=1)
AXES_COOLOFF_TIME = timedelta(minutes=env.integer("SIGN_IN_LOCKOUT_MINUTES", 15, least=1))
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "accounts.lockout.sign_in_name"
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "supporthub.core.middleware.client_address"
AXES_LOCKOUT_CALLABLE = "accounts.views.sign_in.locked_out"
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.ApiKeyAuthentication",
        "accounts.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated", "accounts.api.access.ScopesAllow"],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.api.access.ClientThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["supporthub.core.api.parsers.StrictJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "supporthub.core.api.negotiation.OneForm",
    "DEFAULT_SCHEMA_CLASS": "supporthub.core.api.schema.HubSchema",
    "DEFAULT_PAGINATION_CLASS": "supporthub.core.api.pagination.HubCursorPagination",
    "DEFAULT_THROTTLE_RATES": {
        "sign_in": env.text("THROTTLE_SIGN_IN", "30/min"),
        "api_client": env.text("THROTTLE_API_CLIENT", "1200/min"),
        "tray": env.text("THROTTLE_TRAY", "120/min"),
    },
    "EXCEPTION_HANDLER": "supporthub.core.api.problems.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "NUM_PROXIES": REVERSE_PROXY_COUNT,
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
    "REFRESH_TOKEN_LIFETIME": timedelta(hours=12),
    "UPDATE_LAST_LOGIN": False,
    "CHECK_REVOKE_TOKEN": True,  # a changed password ends every token
    "AUTH_HEADER_TYPES": ("Bearer",),
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Support Hub API",
    "DESCRIPTION": "Tickets of a support team: create, follow, and see what became of them. See docs/api/README.md.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,  # what is sent has stricter shapes than what is answered
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    # Browsers of the hub's own pages come with their session; programs have these two.
    "AUTHENTICATION_WHITELIST": [
        "accounts.api.authentication.ApiKeyAuthentication",
        "accounts.api.authentication.TokenAuthentication",
    ],
    "ENUM_NAME_OVERRIDES": {
        "ActorKindEnum": "accounts.choices.ActorKind",
        "MessageKindEnum": "tickets.choices.MessageKind",
        "NewMessageKindEnum": ["public", "internal"],
        "TimelineKindEnum": "tickets.choices.TimelineKind",
    },
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "entraToken": {
                "type": "http",
                "scheme": "bearer",
                "bearerFormat": "JWT",
                "description": "The person's access token of Entra ID with the scope Tickets.Submit.",
            }
        }
    },
}

# --- What a browser may load --------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "manifest-src": [SELF],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
FILE_UPLOAD_HANDLERS = ["supporthub.core.uploads.SpoolingHandler"]

# --- Words, time, files -------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
DISPLAY_TIME_ZONE = env.text("DISPLAY_TIME_ZONE", "Europe/Brussels")
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(DATA_DIR / "static")))
STATICFILES_DIRS = [BASE_DIR / "supporthub" / "static"]
MEDIA_ROOT = Path(env.text("MEDIA_ROOT", str(DATA_DIR / "media")))
FILES = read_files(env, data_dir=DATA_DIR, media_root=MEDIA_ROOT)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "attachments": FILES.storage,
}
WHITENOISE_USE_FINDERS = True

# --- Operators ----------------------------------------------------------------------------------------------------
METRICS_NETWORKS = env.networks("METRICS_NETWORKS", "127.0.0.0/8,::1/128")
METRICS_TOKEN = env.text("METRICS_TOKEN", "")
LOGGING_CONFIG = None
logging_config(level=env.text("LOG_LEVEL", "INFO"), as_json=env.flag("LOG_JSON", True))

env.finish()

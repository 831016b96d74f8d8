"""Tests: real PostgreSQL and Redis from tests/testservers.py; time runs fast, passwords hash fast."""

import os

os.environ.setdefault("SECRET_KEY", "tests-only-secret-key-tests-only-secret-key-tests-only")
os.environ.setdefault("ENCRYPTION_KEYS", "t1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
os.environ.setdefault("AUDIT_KEY", "t1:tests-only-audit-key-tests-only-audit-key")
os.environ.setdefault("DATABASE_URL", "postgres:///tests")
os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:1/0")
os.environ.setdefault("DELIVERY_TIME_SCALE", "0.02")

from supporthub.settings.base import *  # noqa: F403  (Django's settings modules inherit by import)
from supporthub.settings.base import REST_FRAMEWORK, STATIC_ROOT

REST_FRAMEWORK = {**REST_FRAMEWORK, "TEST_REQUEST_DEFAULT_FORMAT": "json"}
STATIC_ROOT.mkdir(parents=True, exist_ok=True)

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

"""Encryption at rest with key ids and rotation.

A stored value is `<key id>:<Fernet token>`. `ENCRYPTION_KEYS` is a list of `<key id>:<urlsafe base64 of 32 bytes>`;
the first encrypts, all decrypt. Fernet: AES-128-CBC with HMAC-SHA-256, https://github.com/fernet/spec.
"""

from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models


def _keys() -> dict[str, Fernet]:
    keys = {}
    for entry in settings.ENCRYPTION_KEYS:
        key_id, _, material = entry.strip().partition(":")
        try:
            keys[key_id] = Fernet(material)
        except ValueError as error:
            raise ImproperlyConfigured(f"ENCRYPTION_KEYS: key {key_id!r} is not base64 of 32 bytes") from error
    return keys


def encrypt(plain: str) -> str:
    """Encrypt with the first key; the empty string stays empty."""
    if not plain:
        return ""
    key_id, fernet = next(iter(_keys().items()))
    return f"{key_id}:{fernet.encrypt(plain.encode()).decode()}"


def decrypt(stored: str) -> str:
    """Decrypt a value of `encrypt`; raises ImproperlyConfigured when its key is gone or the value was changed."""
    if not stored:
        return ""
    key_id, _, token = stored.partition(":")
    try:
        return _keys()[key_id].decrypt(token.encode()).decode()
    except (KeyError, InvalidToken) as error:
        raise ImproperlyConfigured(
            f"ENCRYPTION_KEYS: a stored secret needs key {key_id!r}, which does not fit"
        ) from error


if TYPE_CHECKING:
    _TextField = models.TextField[str, str]
else:  # Django's fields take no type arguments at run time
    _TextField = models.TextField


class EncryptedTextField(_TextField):
    """Text that is encrypted in the database and plain on the model."""

    def from_db_value(self, value: str | None, _expression: Any, _connection: Any) -> str | None:
        return None if value is None else decrypt(value)

    def get_prep_value(self, value: Any) -> Any:
        return None if value is None else encrypt(str(value))

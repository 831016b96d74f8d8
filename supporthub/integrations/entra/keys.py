"""The signing keys of tenants, fetched seldom and shared by all processes.

Rules (Microsoft: "signing key rollover"): a set is fresh for an hour and is then renewed beside the requests; while
that fails it serves for a day. A key id that is not in the set asks for a new one, at once but not more often than the
limit allows: otherwise a stranger with made-up ids would make a traffic generator of us. A fetched set replaces the old
one, so that withdrawn keys go. The first load does not start the limit. One fetch at a time.
"""

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache

import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm

from supporthub.core.errors import IntegrationError
from supporthub.integrations.entra.discovery import Authority, fetch_keys, fetch_metadata
from supporthub.integrations.entra.errors import KeysUnavailable, TokenRefused
from supporthub.integrations.entra.shelf import Shelf

logger = structlog.get_logger(__name__)

FRESH_SECONDS = 3600.0
KEEP_SECONDS = 24 * 3600.0
RENEW_AGAIN_SECONDS = 60.0
FAILED_SECONDS = 2.0  # without any keys: an outage must not cost every request a time-out
LIMIT_SECONDS = 300.0
_LOOK_AGAIN = 0.05

shelf = Shelf("entra:")
_locks: dict[str, threading.Lock] = {}


@dataclass(frozen=True, slots=True)
class KeySet:
    """A tenant's keys as they were at `fetched_at` (seconds since 1970): modulus and exponent by key id."""

    issuer: str
    keys: Mapping[str, tuple[str, str]]
    fetched_at: float

    @property
    def is_fresh(self) -> bool:
        return time.time() - self.fetched_at < FRESH_SECONDS

    def as_text(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> "KeySet":
        read = json.loads(text)
        keys = {kid: (modulus, exponent) for kid, (modulus, exponent) in read["keys"].items()}
        return cls(read["issuer"], keys, read["fetched_at"])


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys of one Entra. Cheap to make; what is known lies in the shared cache."""

    authority: Authority
    limit_seconds: float = LIMIT_SECONDS

    def find(self, tenant_id: str, key_id: str) -> tuple[RSAPublicKey, str]:
        """The key of this id, and the tenant's issuer of version 2. `tenant_id` must be one that is allowed.

        Raises TokenRefused (`unknown_key`), or KeysUnavailable when no keys are known and none can be fetched.
        """
        known = self._known(tenant_id)
        if known is None:
            known = self._first(tenant_id)
        elif key_id not in known.keys:
            known = self._for_unknown(tenant_id, key_id, known)
        elif not known.is_fresh:
            self._renew_beside(tenant_id)
        if key_id not in known.keys:
            raise TokenRefused("The token's key is not one of the tenant's.", code="unknown_key")
        return public_key(*known.keys[key_id]), known.issuer

    def _known(self, tenant_id: str) -> KeySet | None:
        text = shelf.read(self._name("keys", tenant_id))
        return None if text is None else KeySet.from_text(text)

    def _first(self, tenant_id: str) -> KeySet:
        with _lock(self._name("keys", tenant_id)):
            known = self._known(tenant_id)
            if known is not None:
                return known
            failed = self._name("failed", tenant_id)
            if shelf.read(failed) is None:
                try:
                    return self._fetch(tenant_id)
                except IntegrationError as error:
                    self._note(tenant_id, error)
                    shelf.write(failed, "failed", FAILED_SECONDS)
            raise KeysUnavailable("The token cannot be checked: Entra ID does not show its keys. Try again soon.")

    def _for_unknown(self, tenant_id: str, key_id: str, seen: KeySet) -> KeySet:
        """A newer set when there is one to be had; the lock lets others of this process wait for it."""
        with _lock(self._name("keys", tenant_id)):
            known = self._known(tenant_id) or seen
            if key_id in known.keys:
                return known
            if not shelf.claim(self._name("limit", tenant_id), self.limit_seconds):
                return self._of_another_process(tenant_id) or known
            busy = self._name("busy", tenant_id)
            shelf.write(busy, "busy", self.authority.patience)
            try:
                return self._fetch(tenant_id)
            except IntegrationError as error:
                self._note(tenant_id, error)
                return known
            finally:
                shelf.drop(busy)

    def _of_another_process(self, tenant_id: str) -> KeySet | None:
        """Wait while another process fetches: a key that is new must not be refused because two saw it at once."""
        deadline = time.monotonic() + self.authority.patience
        while shelf.read(self._name("busy", tenant_id)) and time.monotonic() < deadline:
            time.sleep(_LOOK_AGAIN)
        return self._known(tenant_id)

    def _renew_beside(self, tenant_id: str) -> None:
        """The set still serves, so nobody waits for a new one; over all processes one tries a minute."""
        if shelf.claim(self._name("renewing", tenant_id), RENEW_AGAIN_SECONDS):
            threading.Thread(target=self._renew, args=(tenant_id,), name="entra-keys", daemon=True).start()

    def _renew(self, tenant_id: str) -> None:
        try:
            self._fetch(tenant_id)
        except IntegrationError as error:
            self._note(tenant_id, error)

    def _fetch(self, tenant_id: str) -> KeySet:
        metadata = fetch_metadata(self.authority, tenant_id)
        fetched = KeySet(metadata.issuer, fetch_keys(self.authority, tenant_id, metadata), time.time())
        shelf.write(self._name("keys", tenant_id), fetched.as_text(), KEEP_SECONDS)
        logger.info("entra.keys_fetched", tenant=tenant_id, keys=len(fetched.keys))
        return fetched

    def _note(self, tenant_id: str, error: IntegrationError) -> None:
        logger.warning("entra.keys_unreachable", tenant=tenant_id, code=error.code, detail=error.detail)

    def _name(self, kind: str, tenant_id: str) -> str:
        return f"{kind}:{self.authority.url}:{tenant_id}"


@lru_cache(maxsize=256)
def public_key(modulus: str, exponent: str) -> RSAPublicKey:
    """The key itself; the same numbers are not read twice."""
    key = RSAAlgorithm.from_jwk({"kty": "RSA", "n": modulus, "e": exponent})
    if not isinstance(key, RSAPublicKey):
        raise TokenRefused("The token's key is not one of the tenant's.", code="unknown_key")
    return key


def _lock(name: str) -> threading.Lock:
    return _locks.setdefault(name, threading.Lock())

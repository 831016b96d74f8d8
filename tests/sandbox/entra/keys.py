"""The signing keys of a tenant: several are valid at once, a new one signs, a withdrawn one is no longer shown."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from tests.sandbox.store import Store

AT_FIRST = 2
BITS = 2048
VALID = timedelta(days=5 * 365)


def b64(raw: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class SigningKey:
    """A private key and what the world sees of it."""

    def __init__(self, kid: str, pem: str, certificate: str) -> None:
        self.kid = kid
        self.certificate = certificate
        loaded = serialization.load_pem_private_key(pem.encode(), None)
        if not isinstance(loaded, rsa.RSAPrivateKey):
            raise TypeError("not an RSA key")
        self.private = loaded

    def sign(self, signed: bytes, alg: str = "RS256") -> bytes:
        """A signature by ``RS256``, ``RS512`` or ``PS256``."""
        digest = hashes.SHA512() if alg.endswith("512") else hashes.SHA256()
        if alg.startswith("PS"):
            return self.private.sign(signed, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
        return self.private.sign(signed, padding.PKCS1v15(), digest)

    @property
    def public_pem(self) -> bytes:
        """The public key, which a forger may take for a shared secret."""
        public = self.private.public_key()
        return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def jwk(self, issuer: str) -> dict[str, Any]:
        """The key's entry in the set. Entra's entries have no ``alg``."""
        numbers = self.private.public_key().public_numbers()
        modulus = numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")
        exponent = numbers.e.to_bytes((numbers.e.bit_length() + 7) // 8, "big")
        return {
            "kty": "RSA", "use": "sig", "kid": self.kid, "x5t": self.kid, "n": b64(modulus), "e": b64(exponent),
            "x5c": [self.certificate], "cloud_instance_name": "sandbox", "issuer": issuer,
        }  # fmt: skip


class Keys:
    """All tenants' keys. Making one takes a tenth of a second, so a reset gives the same ones out again."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._made: list[tuple[str, str, str]] = []
        self._given = 0

    def published(self, tenant_id: str) -> list[SigningKey]:
        """Newest first; a tenant gets its first keys when they are first asked for."""
        sql = "SELECT * FROM entra_key WHERE tenant_id = ? AND (published OR ?) ORDER BY id DESC"
        if not self._store.rows(sql, tenant_id, 1):
            for _ in range(AT_FIRST):
                self.add(tenant_id)
        return [SigningKey(row["kid"], row["pem"], row["certificate"]) for row in self._store.rows(sql, tenant_id, 0)]

    def known(self, kid: str) -> SigningKey | None:
        """A key by its id, withdrawn ones too."""
        row = self._store.row("SELECT * FROM entra_key WHERE kid = ?", kid)
        return SigningKey(row["kid"], row["pem"], row["certificate"]) if row else None

    def add(self, tenant_id: str) -> str:
        """Publish one more key, which signs from now on; returns its id. The caller holds the transaction."""
        kid, pem, certificate = self._fresh()
        sql = "INSERT INTO entra_key (tenant_id, kid, pem, certificate, published) VALUES (?, ?, ?, ?, 1)"
        self._store.run(sql, tenant_id, kid, pem, certificate)
        return kid

    def withdraw(self, kid: str) -> bool:
        """Show a key no more; False when there is none of this id. The caller holds the transaction."""
        return bool(self._store.run("UPDATE entra_key SET published = 0 WHERE kid = ?", kid).rowcount)

    def stranger(self) -> SigningKey:
        """A key that no tenant has ever shown."""
        return SigningKey(*make_key())

    def _fresh(self) -> tuple[str, str, str]:
        if not self._store.value("SELECT count(*) FROM entra_key"):
            self._given = 0
        if self._given == len(self._made):
            self._made.append(make_key())
        self._given += 1
        return self._made[self._given - 1]


def make_key() -> tuple[str, str, str]:
    """A new key: its id (the certificate's SHA-1, as Entra's), the private PEM, the certificate in base64."""
    private = rsa.generate_private_key(65537, BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "accounts.sandbox.example")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now).not_valid_after(now + VALID)
    der = builder.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return b64(hashlib.sha1(der, usedforsecurity=False).digest()), pem.decode(), base64.b64encode(der).decode()

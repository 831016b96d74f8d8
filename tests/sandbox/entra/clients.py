"""Who asks the token endpoint: a client secret, or an assertion signed with the key of a registered certificate."""

import hashlib
import hmac
from collections.abc import Mapping
from sqlite3 import Row
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.sandbox.control import ControlError
from tests.sandbox.entra.errors import invalid_client, missing
from tests.sandbox.entra.keys import b64
from tests.sandbox.entra.site import EntraSite
from tests.sandbox.exchange import Call

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
THUMBPRINTS: Mapping[str, tuple[str, str]] = {
    "RS256": ("x5t", "thumbprint"),
    "PS256": ("x5t#S256", "thumbprint_sha256"),
}


def authenticated(site: EntraSite, call: Call, form: Mapping[str, str], token_url: str) -> Row:
    """The app registration that proved itself.

    :raises EntraError: it is unknown, proves nothing, or proves it wrongly.
    """
    if "client_id" not in form:
        raise missing("client_id")
    app = site.app(form["client_id"])
    if form.get("client_assertion_type") == ASSERTION:
        _check_assertion(site, app, form.get("client_assertion", ""), token_url)
    elif "client_secret" not in form:
        text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
        raise invalid_client(7000218, text)
    elif not hmac.compare_digest(form["client_secret"].encode(), _secret(site, app).encode()):
        raise invalid_client(7000215, f"Invalid client secret provided for app '{app['client_id']}'.")
    if call.fault("expired_auth"):
        raise invalid_client(7000222, f"The provided client secret keys for app '{app['client_id']}' are expired.")
    return app


def _secret(site: EntraSite, app: Row) -> str:
    """Apps without a secret of their own have that of this start, which nobody can know from the data folder."""
    return str(app["secret"]) if app["secret"] else site.options.entra_secret


def _check_assertion(site: EntraSite, app: Row, assertion: str, token_url: str) -> None:
    try:
        header = jwt.get_unverified_header(assertion)
        alg = str(header.get("alg"))
        member, column = THUMBPRINTS[alg]
        sql = f"SELECT * FROM entra_certificate WHERE client_id = ? AND {column} = ?"  # noqa: S608
        row = site.store.row(sql, app["client_id"], str(header.get(member)).rstrip("="))
        if row is None:
            raise invalid_client(700027, "The certificate with this identifier is not registered on the application.")
        claims = jwt.decode(
            assertion, _public_key(row["pem"]), algorithms=[alg], audience=[token_url, _as_https(token_url)],
            issuer=app["client_id"], options={"require": ["exp", "iss", "sub", "aud", "jti"]},
        )  # fmt: skip
    except (jwt.PyJWTError, KeyError) as error:
        raise invalid_client(700027, "The client assertion failed signature validation or is malformed.") from error
    if claims["sub"] != app["client_id"]:
        raise invalid_client(700021, "The assertion's subject is not the application.")


def _as_https(url: str) -> str:
    """Libraries that insist on https write the address so."""
    return url.replace("http://", "https://", 1)


def _public_key(pem: str) -> Any:
    return x509.load_pem_x509_certificate(pem.encode()).public_key()


def register_certificate(site: EntraSite, client_id: str, pem: str) -> tuple[str, str]:
    """Let an app prove itself with this certificate; returns both thumbprints. The caller holds the transaction.

    :raises ControlError: it is no RSA certificate in PEM.
    """
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
    except ValueError as error:
        raise ControlError("not a certificate in PEM") from error
    if not isinstance(certificate.public_key(), rsa.RSAPublicKey):
        raise ControlError("not an RSA certificate")
    der = certificate.public_bytes(serialization.Encoding.DER)
    prints = (b64(hashlib.sha1(der, usedforsecurity=False).digest()), b64(hashlib.sha256(der).digest()))
    site.store.run("INSERT INTO entra_certificate VALUES (?, ?, ?, ?)", client_id, *prints, pem)
    return prints

"""Which settings of Entra ID and of the API gateway need each other; every fault is one line."""

from supporthub.runtime.environment import ENTRA_CREDENTIALS
from supporthub.settings.env import Env

_SHORTEST_SECRET = 16
_MOST_SECRETS = 2


def check_entra(env: Env, *, gateway_mode: bool) -> None:
    """What is set must suffice for a use: token checks need tenant and client id, a certificate needs its key.

    A secret or certificate may be missing: then only sign-in is off.
    """
    given = [name for name in ENTRA_CREDENTIALS if env.is_set(name)]
    if given:
        # A gateway that proves itself without Entra leaves nothing to check but whose people these are.
        client = () if gateway_mode and given == ["ENTRA_TENANT_ID"] else ("ENTRA_CLIENT_ID",)
        env.need(f"{given[0]} is set", "ENTRA_TENANT_ID", *client)
    if env.is_set("ENTRA_PRIVATE_KEY") and not env.is_set("ENTRA_CERTIFICATE_THUMBPRINT"):
        env.need("ENTRA_PRIVATE_KEY is set", "ENTRA_CERTIFICATE")
    if env.is_set("ENTRA_CERTIFICATE"):
        env.need("ENTRA_CERTIFICATE is set", "ENTRA_PRIVATE_KEY")


def check_gateway(env: Env, *, gateway_mode: bool) -> None:
    """A gateway must be able to prove itself, and the tenant of the people it names must be known."""
    env.all_or_none("GATEWAY_SECRET_HEADER", "GATEWAY_SECRETS")
    env.all_or_none("GATEWAY_CERT_HEADER", "GATEWAY_CERT_FINGERPRINTS")
    secrets = env.words("GATEWAY_SECRETS")
    if len(secrets) > _MOST_SECRETS or any(len(secret) < _SHORTEST_SECRET for secret in secrets):
        env.faults.append(
            f"GATEWAY_SECRETS: use one secret, or two while changing, of at least {_SHORTEST_SECRET} characters each"
        )
    if not gateway_mode:
        return
    env.need("AUTH_MODE is gateway", "ENTRA_TENANT_ID")
    if env.is_set("GATEWAY_APP_IDS"):
        env.need("GATEWAY_APP_IDS is set", "ENTRA_CLIENT_ID")
    elif not env.is_set("GATEWAY_SECRETS") and not env.is_set("GATEWAY_CERT_HEADER"):
        env.faults.append(
            "GATEWAY_APP_IDS, GATEWAY_SECRET_HEADER and GATEWAY_CERT_HEADER are missing: AUTH_MODE is gateway, "
            "and without one of them everybody could pass for the gateway"
        )

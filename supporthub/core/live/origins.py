"""Which pages may open a socket with the browser's cookie. Pure.

Browsers do not apply the same-origin policy to WebSockets (RFC 6455, section 10.2): the server must look at `Origin`.
"""

from collections.abc import Sequence
from urllib.parse import urlsplit

from django.http.request import split_domain_port, validate_host

_PORTS = {"http": "80", "https": "443"}


def origin_is_ours(
    origin: str, host: str, *, secure: bool, allowed_hosts: Sequence[str], trusted_origins: Sequence[str]
) -> bool:
    """Return whether `origin` (that header's value) is this site, or is trusted by name.

    `host` is the Host header, `secure` whether the socket came over TLS, `allowed_hosts` and `trusted_origins` are
    Django's settings of that name (`https://*.example.org` trusts every subdomain).
    """
    scheme, domain, port = _parts(origin)
    if not domain:
        return False
    if any(_matches((scheme, domain, port), trusted) for trusted in trusted_origins):
        return True
    own_domain, own_port = split_domain_port(host)
    if not own_domain or not validate_host(own_domain, allowed_hosts) or (secure and scheme != "https"):
        return False
    return (domain, port) == (own_domain, own_port or _PORTS[scheme])


def _parts(origin: str) -> tuple[str, str, str]:
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return "", "", ""
    if parts.scheme not in _PORTS or not parts.hostname or parts.path or parts.query or parts.username is not None:
        return "", "", ""
    domain = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return parts.scheme, domain, str(port) if port else _PORTS[parts.scheme]


def _matches(origin: tuple[str, str, str], trusted: str) -> bool:
    scheme, domain, port = _parts(trusted.replace("://*.", "://"))
    if (scheme, port) != (origin[0], origin[2]):
        return False
    return origin[1].endswith(f".{domain}") if "://*." in trusted else origin[1] == domain

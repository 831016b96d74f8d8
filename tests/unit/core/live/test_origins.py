"""Which pages may use the browser's cookie on a socket."""

import pytest

from supporthub.core.live.origins import origin_is_ours


def _ours(origin: str, host: str = "hub.example.org", *, secure: bool = True, trusted: str = "") -> bool:
    return origin_is_ours(
        origin, host, secure=secure, allowed_hosts=["hub.example.org", "[::1]"], trusted_origins=trusted.split()
    )


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://hub.example.org", "hub.example.org"),
        ("https://hub.example.org", "hub.example.org:443"),
        ("https://hub.example.org:8443", "hub.example.org:8443"),
        ("https://[::1]:8000", "[::1]:8000"),
    ],
)
def test_the_same_host_and_port_is_ours(origin: str, host: str) -> None:
    assert _ours(origin, host)


@pytest.mark.parametrize(
    "origin",
    [
        "", "null", "file://", "https://", "https://evil.example", "https://hub.example.org.evil.example",
        "https://hub.example.org:8443", "https://hub.example.org@evil.example", "https://a@hub.example.org",
        "https://hub.example.org/path", "https://hub.example.org:notaport", "ftp://hub.example.org",
    ],
)  # fmt: skip
def test_anything_else_is_not(origin: str) -> None:
    assert not _ours(origin)


def test_host_header_counts_only_when_it_names_an_allowed_host() -> None:
    assert not _ours("https://evil.example", "evil.example")


def test_plain_page_may_not_use_a_secure_socket() -> None:
    assert not _ours("http://hub.example.org", "hub.example.org:80")
    assert _ours("http://hub.example.org", "hub.example.org:80", secure=False)


def test_trusted_origins_are_matched_whole() -> None:
    trusted = "https://desk.example.com https://*.example.net"
    assert _ours("https://desk.example.com", trusted=trusted)
    assert _ours("https://a.b.example.net", trusted=trusted)
    for origin in ("http://desk.example.com", "https://desk.example.com:444", "https://example.net",
                   "https://evilexample.net", "https://x.desk.example.com"):  # fmt: skip
        assert not _ours(origin, trusted=trusted)

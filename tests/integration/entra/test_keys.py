"""Keys are fetched seldom, replaced when they change, and kept through outages."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.cache import cache
from pytest_django import Settings

from accounts.callers import authority, tray_caller, trust
from supporthub.integrations.entra import keys
from supporthub.integrations.entra.errors import KeysUnavailable, TokenRefused
from supporthub.integrations.entra.tokens import verify
from tests.integration.entra.conftest import Entra, call
from tests.sandbox.client import rule
from tests.sandbox.entra.seeds import CONTOSO, FABRIKAM, HUB_APP, oid


def test_many_tokens_cost_one_fetch(entra: Entra) -> None:
    for version in (1, 2, 1, 2):
        tray_caller(call(entra.token(version=version)))
    assert entra.fetches() == 1
    assert entra.fetches("openid-configuration") == 1


def test_every_published_key_is_accepted(entra: Entra) -> None:
    for place in range(len(entra.calls.keys())):
        assert tray_caller(call(entra.token(key=place))).object_id == oid(1)
    assert entra.fetches() == 1


def test_new_key_is_seen_at_once_after_the_first_load(entra: Entra) -> None:
    tray_caller(call(entra.token()))
    entra.calls.rotate()
    assert tray_caller(call(entra.token())).object_id == oid(1)
    assert entra.fetches() == 2


def test_flood_of_unknown_keys_costs_one_fetch(entra: Entra) -> None:
    tray_caller(call(entra.token()))
    before = entra.fetches()
    flood = [entra.token(header={"kid": f"made-up-{number}"}) for number in range(30)]
    with ThreadPoolExecutor(10) as pool:
        codes = list(pool.map(_refusal, flood))
    assert set(codes) == {"unknown_key"}
    assert entra.fetches() - before == 1
    assert tray_caller(call(entra.token())).object_id == oid(1)


def test_flood_on_a_cold_hub_costs_two_fetches_at_most(entra: Entra) -> None:
    flood = [entra.token(header={"kid": f"made-up-{number}"}) for number in range(10)]
    assert {_refusal(token) for token in flood} == {"unknown_key"}
    assert entra.fetches() == 2  # the first load, and the one refresh that the limit allows


def _refusal(token: str) -> str:
    """What a token is refused for, without the database: threads have connections of their own."""
    with pytest.raises(TokenRefused) as caught:
        verify(token, trust(lambda tenant: frozenset({HUB_APP}) if tenant == CONTOSO else frozenset()))
    return caught.value.code


def test_refresh_is_allowed_again_after_the_limit(entra: Entra, settings: Settings) -> None:
    settings.ENTRA_KEY_REFRESH_SECONDS = 1
    tray_caller(call(entra.token()))
    entra.calls.rotate()
    tray_caller(call(entra.token()))
    entra.calls.rotate()
    newest = entra.token()
    deadline = time.monotonic() + 5
    while True:
        try:
            tray_caller(call(newest))
            break
        except TokenRefused:
            assert time.monotonic() < deadline
    assert entra.fetches() == 3


def test_withdrawn_key_is_refused_once_the_set_was_fetched_again(entra: Entra) -> None:
    old = entra.calls.keys()[0]
    tray_caller(call(entra.token(key=old)))
    entra.calls.withdraw(old)
    entra.calls.rotate()
    tray_caller(call(entra.token()))
    with pytest.raises(TokenRefused) as caught:
        tray_caller(call(entra.token(key=old)))
    assert caught.value.code == "unknown_key"


def test_unknown_tenants_never_cost_a_fetch(entra: Entra) -> None:
    with pytest.raises(TokenRefused):
        tray_caller(call(entra.token(person="zoe.angstrom@fabrikam.example")))
    assert entra.fetches(FABRIKAM) == 0


@pytest.mark.parametrize(
    "fault",
    [
        rule("status", path="/discovery/", status=500),
        rule("429", path="/discovery/", retry_after=30),
        rule("drop_before", path="/discovery/"),
        rule("status", path="openid-configuration", status=503),
        rule("broken_json", path="/discovery/"),
    ],
    ids=lambda fault: f"{fault['kind']} {fault['match']['path_regex']}",
)
def test_keys_that_cannot_be_fetched_are_our_outage_not_the_tokens_fault(
    entra: Entra, fault: dict[str, object]
) -> None:
    token = entra.token()
    entra.control.faults(fault)
    with pytest.raises(KeysUnavailable) as caught:
        tray_caller(call(token))
    assert (caught.value.status, caught.value.retry_after > 0) == (503, True)
    entra.control.clear_faults()
    cache.clear()
    keys.shelf.forget_own()
    assert tray_caller(call(token)).object_id == oid(1)


def test_outage_without_keys_costs_one_try_not_one_a_request(entra: Entra) -> None:
    token = entra.token()
    entra.control.faults(rule("status", path="/discovery/", status=500))
    for _ in range(5):
        with pytest.raises(KeysUnavailable):
            tray_caller(call(token))
    assert entra.fetches() == 1


def test_entra_that_hangs_is_given_up(entra: Entra, settings: Settings) -> None:
    token = entra.token()
    settings.ENTRA_READ_TIMEOUT = 0.3
    entra.control.faults(rule("hang_before", path="openid-configuration", seconds=20))
    started = time.monotonic()
    with pytest.raises(KeysUnavailable):
        tray_caller(call(token))
    assert time.monotonic() - started < 10


def test_known_keys_serve_while_entra_is_away(entra: Entra) -> None:
    token = entra.token()
    tray_caller(call(token))
    _age(keys.FRESH_SECONDS + 60)
    entra.control.faults(rule("drop_before", path="/entra/"))
    for _ in range(3):
        assert tray_caller(call(token)).object_id == oid(1)


def test_old_keys_are_renewed_beside_the_request(entra: Entra) -> None:
    token = entra.token()
    tray_caller(call(token))
    _age(keys.FRESH_SECONDS + 60)
    assert tray_caller(call(token)).object_id == oid(1)
    deadline = time.monotonic() + 10
    while entra.fetches() < 2 and time.monotonic() < deadline:
        time.sleep(0.02)  # the condition awaited is the fetch itself
    assert entra.fetches() == 2


def _age(seconds: float) -> None:
    """Make the known keys of our tenant older."""
    name = f"keys:{authority().url}:{CONTOSO}"
    text = keys.shelf.read(name)
    assert text is not None
    known = keys.KeySet.from_text(text)
    older = keys.KeySet(known.issuer, known.keys, known.fetched_at - seconds)
    keys.shelf.write(name, older.as_text(), keys.KEEP_SECONDS)


def test_processes_share_their_keys(entra: Entra) -> None:
    token = entra.token()
    tray_caller(call(token))
    keys.shelf.forget_own()  # as a process that has just started
    tray_caller(call(token))
    assert entra.fetches() == 1


def test_cache_away_leaves_every_process_its_own_copy(entra: Entra, monkeypatch: pytest.MonkeyPatch) -> None:
    token = entra.token()
    tray_caller(call(token))

    def away(*_args: object, **_named: object) -> None:
        raise ConnectionRefusedError

    for method in ("get", "set", "add", "delete"):
        monkeypatch.setattr(cache, method, away, raising=False)
    assert tray_caller(call(token)).object_id == oid(1)
    with pytest.raises(TokenRefused):
        tray_caller(call(entra.token(header={"kid": "made-up"})))
    with pytest.raises(TokenRefused):
        tray_caller(call(entra.token(header={"kid": "made-up-too"})))
    assert entra.fetches() == 2


def test_set_without_usable_keys_is_an_outage(entra: Entra) -> None:
    published = entra.calls.keys()
    for kid in published:
        entra.calls.withdraw(kid)
    token = entra.token(key=entra.calls.rotate())
    entra.calls.withdraw(entra.calls.keys()[0])
    with pytest.raises(KeysUnavailable):
        tray_caller(call(token))

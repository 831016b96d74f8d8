"""The doctor says what keeps tokens from being checked, and what to do about it."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings

from accounts.clients import entra_doctor
from accounts.clients.entra_doctor import entra_findings
from supporthub.core.doctor import Finding, Verdict
from supporthub.integrations.entra.discovery import Metadata
from tests.integration.entra.conftest import Entra
from tests.sandbox.client import rule
from tests.sandbox.entra.seeds import CONTOSO, GATEWAY_APP


def found() -> dict[Verdict, list[Finding]]:
    by_verdict: dict[Verdict, list[Finding]] = {}
    for finding in entra_findings():
        by_verdict.setdefault(finding.verdict, []).append(finding)
    return by_verdict


def test_all_is_well(entra: Entra, settings: Settings) -> None:
    settings.ENTRA_SIGN_IN = True
    assert [finding.text for finding in found().pop(Verdict.GOOD)] == [f"tenant {CONTOSO}: 2 signing keys"]
    assert set(found()) == {Verdict.GOOD}


def test_missing_credentials_are_said(entra: Entra, settings: Settings) -> None:
    settings.ENTRA_SIGN_IN = False
    assert "ENTRA_CLIENT_SECRET" in found()[Verdict.SKIPPED][0].fix
    settings.ENTRA_CONFIGURED, settings.ENTRA_CLIENT_ID = False, ""
    findings = found()
    assert "ENTRA_TENANT_ID" in findings[Verdict.SKIPPED][0].fix
    assert Verdict.BAD not in findings


def test_unreachable_authority_is_bad_and_named(entra: Entra) -> None:
    entra.control.faults(rule("status", path="openid-configuration", status=500))
    finding = found()[Verdict.BAD][0]
    assert CONTOSO in finding.text
    assert entra.process.entra_url in finding.fix


def test_tenant_of_the_settings_without_a_row_is_said(entra: Entra, settings: Settings) -> None:
    settings.ENTRA_TENANT_ID = "11111111-2222-3333-4444-555555555555"
    assert "The rows win" in found()[Verdict.WARNING][0].fix


@pytest.mark.parametrize(("seconds", "verdict"), [(10, None), (45, Verdict.WARNING), (90, Verdict.BAD)])
def test_clocks_that_differ_are_said(
    entra: Entra, settings: Settings, monkeypatch: pytest.MonkeyPatch, seconds: int, verdict: Verdict | None
) -> None:
    settings.ENTRA_SIGN_IN = True
    issuer = f"{entra.process.entra_url}/{CONTOSO}/v2.0"
    there = Metadata(issuer, "", "", "", "", datetime.now(UTC) - timedelta(seconds=seconds))
    monkeypatch.setattr(entra_doctor, "fetch_metadata", lambda *_args: there)
    monkeypatch.setattr(entra_doctor, "fetch_keys", lambda *_args: {"k": ("n", "e")})
    others = set(found()) - {Verdict.GOOD}
    assert others == ({verdict} if verdict else set())


def test_gateway_that_cannot_prove_itself_is_bad(entra: Entra, settings: Settings) -> None:
    settings.AUTH_MODE = "gateway"
    assert any("every tray call is refused" in finding.text for finding in found()[Verdict.BAD])
    settings.GATEWAY_APP_IDS = frozenset({GATEWAY_APP})
    assert any("GATEWAY_APP_IDS" in finding.text for finding in found()[Verdict.GOOD])


def test_gateway_by_certificate_alone_and_two_secrets_are_warned_about(entra: Entra, settings: Settings) -> None:
    settings.AUTH_MODE = "gateway"
    settings.GATEWAY_CERT_HEADER, settings.GATEWAY_CERT_FINGERPRINTS = "X-Client-Cert", frozenset({"a" * 64})
    assert "overwrites this header" in found()[Verdict.WARNING][0].fix
    settings.GATEWAY_SECRET_HEADER, settings.GATEWAY_SECRETS = "X-Gateway-Key", ["one" * 9, "two" * 9]
    assert "old one" in found()[Verdict.WARNING][0].fix

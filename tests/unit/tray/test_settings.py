"""When the two calls are there: as soon as somebody can prove who they are, unless it is said otherwise."""

import os
import subprocess
import sys

import pytest

from supporthub.runtime.environment import ENTRA_CREDENTIALS, ROOT

TENANT, CLIENT = "11111111-2222-3333-4444-555555555555", "66666666-7777-8888-9999-000000000000"
BOTH = {"ENTRA_TENANT_ID": TENANT, "ENTRA_CLIENT_ID": CLIENT}
GATEWAY = {
    "AUTH_MODE": "gateway", "ENTRA_TENANT_ID": TENANT, "GATEWAY_SECRET_HEADER": "X-Key",
    "GATEWAY_SECRETS": "sixteen-letters-1",
}  # fmt: skip


@pytest.mark.parametrize(
    ("given", "is_on"),
    [({}, False), (BOTH, True), (GATEWAY, True), ({**BOTH, "TRAY_API": "off"}, False), ({"TRAY_API": "on"}, True)],
    ids=["nothing", "Entra", "gateway", "switched off", "switched on"],
)  # fmt: skip
def test_tray_calls_are_on_when_callers_can_be_told(given: dict[str, str], is_on: bool) -> None:
    cleared = dict.fromkeys((*ENTRA_CREDENTIALS, "AUTH_MODE", "TRAY_API", "ENTRA_AUTHORITY"), "")
    shown = subprocess.run(
        [sys.executable, "-c", "from supporthub.settings.test import TRAY_API; print(TRAY_API)"],
        cwd=ROOT, env={**os.environ, **cleared, **given}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert shown.stdout.strip() == str(is_on)

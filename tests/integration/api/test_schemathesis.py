"""The API keeps every word of its own description: generated requests, good and bad, through the whole request cycle.

Every operation is called as an admin and as an API client of a narrow scope. Nothing may fail, and each answer must be
one that the description has, with its media type, its shape and its headers. Every call finds the same database: it is
rolled back afterwards. Generation is deterministic.
"""

import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from pytest_django import Settings
from rest_framework.throttling import SimpleRateThrottle
from schemathesis import checks
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.schemas import OpenApiSchema

from tests.integration.api.inhabited import Hub, inhabit

KEPT = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
    checks.ignored_auth,
    checks.unsupported_method,
]

REQUEST_ID = {"$ref": "#/components/parameters/RequestId"}
Case = schemathesis.Case[Any]


@pytest.fixture
def hub(db: None, tmp_path: Path, settings: Settings) -> Iterator[Hub]:
    """One database for all operations. The connection stays open between requests, as for Django's own test client."""
    place = {"BACKEND": "supporthub.core.storage.SyncedFolder", "OPTIONS": {"location": str(tmp_path / "media")}}
    settings.FILES = replace(settings.FILES, spool=tmp_path / "spool", storage=place)
    settings.STORAGES = {**settings.STORAGES, "attachments": place}
    settings.TRAY_API = True
    inhabited = inhabit()
    for ending in (request_started, request_finished):
        ending.disconnect(close_old_connections)
    yield inhabited
    for ending in (request_started, request_finished):
        ending.connect(close_old_connections)


@pytest.fixture
def unhurried(hub: Hub, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Without limits of speed."""
    for scope in SimpleRateThrottle.THROTTLE_RATES:
        monkeypatch.setitem(SimpleRateThrottle.THROTTLE_RATES, scope, None)
    request.node._nodeid = request.node.nodeid  # schemathesis 4.32 looks for the old name of it


def load(*, examples: int, coverage: bool) -> OpenApiSchema:
    """The description as the hub serves it. `coverage` tries systematically what each parameter and field allows."""
    config = SchemathesisConfig.from_dict({
        "generation": {"deterministic": True, "max-examples": examples, "database": "none"},
        "phases": {"coverage": {"enabled": coverage, "unexpected-methods": ["put", "trace"]}},
        "headers": {"Accept-Encoding": "identity"},  # the tool does not unpack what a WSGI application packed
    })  # fmt: skip
    hub = get_wsgi_application()
    described: dict[str, Any] = schemathesis.openapi.from_wsgi("/api/schema/", hub).raw_schema
    for operation in (operation for methods in described["paths"].values() for operation in methods.values()):
        if REQUEST_ID in operation.get("parameters", []) and operation["operationId"] != "me_retrieve":
            operation["parameters"].remove(REQUEST_ID)  # one call tries it; else half of all cases are about this one
    loaded = schemathesis.openapi.from_dict(described, config=config)
    loaded.app = hub
    return loaded


@pytest.fixture
def described(unhurried: None) -> OpenApiSchema:
    return load(examples=6, coverage=True)


@pytest.fixture
def described_in_short(unhurried: None) -> OpenApiSchema:
    return load(examples=12, coverage=False)


def keeps_its_word(case: Case, hub: Hub, credential: str) -> None:
    _aim(case, hub)
    with transaction.atomic():
        case.call_and_validate(headers={"Authorization": f"Bearer {credential}"}, checks=KEPT)
        transaction.set_rollback(True)


def _aim(case: Case, hub: Hub) -> None:
    """Put what exists into most of the places that were filled at random and well."""
    meta = case.meta
    if case.path_parameters and not (meta and meta.is_negative_at(ParameterLocation.PATH)):
        case.path_parameters = {
            name: _one_of(hub.places(case.path, name), value) for name, value in case.path_parameters.items()
        }
    if isinstance(case.body, dict) and isinstance(files := case.body.get("attachments"), list):
        log: Any = b"The log of a bad day.\n"
        case.body = {**case.body, "attachments": [log] * len(files)}
    if isinstance(case.body, dict) and not (meta and meta.is_negative_at(ParameterLocation.BODY)):
        case.body = {name: _one_of(hub.fields.get(name, []), value) for name, value in case.body.items()}


def _one_of(existing: list[Any], made_up: Any) -> Any:
    """Return one of them, or now and then what was made up; the same for the same."""
    number = zlib.crc32(repr(made_up).encode("utf-8", "replace"))
    return made_up if not existing or number % 5 == 0 else existing[number // 5 % len(existing)]


@schemathesis.pytest.from_fixture("described").parametrize()
def test_as_an_admin(case: Case, hub: Hub) -> None:
    keeps_its_word(case, hub, hub.token)


@schemathesis.pytest.from_fixture("described_in_short").parametrize()
def test_as_a_client_of_a_narrow_scope(case: Case, hub: Hub) -> None:
    keeps_its_word(case, hub, hub.key)

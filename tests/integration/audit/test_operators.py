"""What operators rely on: the second database role, the doctor, the key's setting, the schedule."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone

from accounts.models import AuditAnchor
from accounts.services.audit import SYSTEM, erase_texts
from accounts.services.audit_checkup import audit_findings
from accounts.services.audit_verify import verify_database
from accounts.services.sealing import seal_all
from supporthub.core.doctor import Verdict
from supporthub.runtime import seeding
from tests.integration.audit.conftest import TABLES, a_sealed_trail, as_owner, write

pytestmark = pytest.mark.django_db
ROLE = Path(__file__).resolve().parents[3] / "docs" / "sql" / "audit_role.sql"


@pytest.fixture
def as_the_hub() -> None:
    """Connected as the role that docs/sql/audit_role.sql makes; it goes with the test's transaction."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE hub")
        cursor.execute(ROLE.read_text(encoding="utf-8"))
        cursor.execute("SET LOCAL ROLE hub")


def refused(statement: str) -> bool:
    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"), transaction.atomic():
        connection.cursor().execute(statement)
    return True


def test_the_second_role_can_record_seal_anchor_erase_and_verify(as_the_hub: None) -> None:
    ids = write(2, personal={"name": "Ann"})
    seal_all()
    assert erase_texts(entry_ids=ids[:1], actor=SYSTEM) == 1
    assert verify_database().intact
    assert not AuditAnchor.objects.filter(stored_at=None).exists()


def test_the_second_role_can_neither_change_nor_remove_nor_switch_triggers_off(as_the_hub: None) -> None:
    a_sealed_trail()
    assert refused("UPDATE accounts_auditentry SET actor_id = '8'")
    assert refused("UPDATE accounts_audittext SET texts = '{}'")
    assert refused("UPDATE accounts_auditanchor SET mac = proof")
    assert refused("DELETE FROM accounts_auditentry")
    assert refused("DELETE FROM accounts_auditanchor")
    assert refused("INSERT INTO accounts_auditentry (seal) VALUES (1)")
    for table in TABLES:
        assert refused(f"TRUNCATE {table}")
        assert refused(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    assert refused("DROP FUNCTION accounts_audit_refuse() CASCADE")


def test_the_doctor_knows_the_second_role(as_the_hub: None) -> None:
    assert [finding.verdict for finding in audit_findings()] == [Verdict.GOOD, Verdict.GOOD]


def test_the_doctor_says_when_nothing_is_sealed_and_when_anchors_stay_behind() -> None:
    assert [finding.verdict for finding in audit_findings()] == [Verdict.GOOD, Verdict.SKIPPED]
    a_sealed_trail()
    write()
    with as_owner() as cursor:
        past = timezone.now() - timedelta(minutes=5)
        cursor.execute("UPDATE accounts_auditentry SET at = %s WHERE seal IS NULL", [past])
        cursor.execute("UPDATE accounts_auditanchor SET at = %s, stored_at = NULL", [past])
    assert [finding.verdict for finding in audit_findings()] == [Verdict.BAD, Verdict.BAD, Verdict.SKIPPED]


def test_a_new_hub_seals_every_second() -> None:
    assert ("Audit trail: seal", "accounts.tasks.seal_audit_trail", 1.0, False) in seeding.SCHEDULES

"""What an operator runs: seed, doctor, deliveries."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django_celery_beat.models import PeriodicTask

from accounts.models import Hold, Organisation, User
from directory.models import Person
from supporthub.core.deliveries.states import DeliveryState
from supporthub.core.doctor import Finding, checks
from supporthub.runtime import sample, seeding
from tests.factories.tickets import BoardFactory, TicketFactory
from tests.testservers import servers
from tickets.models import Board, Submission, Tracker

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def first_admin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPPORTHUB_ADMIN_EMAIL", "Lead@Example.org")
    monkeypatch.setenv("SUPPORTHUB_ADMIN_PASSWORD", "a long enough passphrase")


class TestSeed:
    def test_it_makes_the_first_admin_once(self, first_admin: None) -> None:
        assert "Made the first admin" in run("seed")
        assert User.objects.get().email == "lead@example.org"
        assert "admin" not in run("seed")

    def test_it_makes_no_admin_where_somebody_is(self, first_admin: None) -> None:
        User.objects.create_user("somebody@example.org")
        run("seed")
        assert User.objects.count() == 1

    def test_a_weak_password_is_refused_in_words(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SUPPORTHUB_ADMIN_EMAIL", "lead@example.org")
        monkeypatch.setenv("SUPPORTHUB_ADMIN_PASSWORD", "short")
        with pytest.raises(CommandError, match="SUPPORTHUB_ADMIN_PASSWORD"):
            run("seed")

    def test_schedules_are_made_once_and_a_leads_change_stays(self) -> None:
        run("seed")
        PeriodicTask.objects.filter(name__startswith="Deliveries: sweep").update(enabled=False)
        run("seed")
        ours = PeriodicTask.objects.filter(name__in=[name for name, *_ in seeding.SCHEDULES])
        assert ours.count() == len(seeding.SCHEDULES)
        assert ours.filter(enabled=False).count() == 1

    def test_the_tracker_of_the_environment_seeds_one_row_and_the_row_wins(self, settings: Any) -> None:
        settings.JIRA_CONFIGURED, settings.ATLASSIAN_URL = True, "https://one.example"
        run("seed")
        settings.ATLASSIAN_URL = "https://two.example"
        run("seed")
        assert Tracker.objects.get().base_url == "https://one.example"
        assert "https://two.example" in " ".join(finding.text for finding in _findings("trackers"))

    def test_the_sample_loads_once_and_goes_without_taking_what_is_used(self) -> None:
        assert "sample" in run("seed", "--sample")
        assert "sample" not in run("seed", "--sample")
        used = Person.objects.get(email="ann.baker@contoso.example")
        TicketFactory(requester=used, organisation=used.organisation, board=Board.objects.get(slug="office"))
        assert sample.remove() > 0
        assert list(Person.objects.all()) == [used]
        assert not Board.objects.filter(slug="network").exists()
        assert Organisation.objects.filter(slug="contoso").exists()


def _findings(check: str) -> list[Finding]:
    return [finding for one in checks() for finding in one() if finding.check == check]


class TestDoctor:
    def test_an_empty_hub_is_told_what_it_needs(self) -> None:
        out = StringIO()
        with pytest.raises(SystemExit):
            call_command("doctor", stdout=out)
        report = out.getvalue()
        for words in ("there is no active user", "there is no active board", "manage.py seed", "PostgreSQL 18"):
            assert words in report

    @pytest.mark.django_db(transaction=True)
    def test_a_dead_redis_is_named_with_what_is_still_safe(self) -> None:
        servers.redis.kill()
        try:
            texts = _findings("redis")
        finally:
            servers.redis.start()
        assert "Tickets are still accepted" in str(texts)

    def test_held_and_parked_deliveries_are_shown(self) -> None:
        TicketFactory(board=BoardFactory(goes_out=True))
        Submission.objects.update(state=DeliveryState.PARKED)
        Hold.objects.create(scope="all", reason="Moving house.")
        assert "1 need a person" in str(_findings("deliveries"))
        assert "Moving house." in str(_findings("holds"))


def test_after_a_restore_everything_is_held_and_in_doubt() -> None:
    TicketFactory(board=BoardFactory(goes_out=True))
    assert "1 rows will be checked" in run("deliveries", "after-restore")
    assert Submission.objects.get().state == DeliveryState.UNKNOWN
    assert Hold.objects.get().scope == "all"

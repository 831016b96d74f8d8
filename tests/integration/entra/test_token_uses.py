"""A token buys one submission; the same content is the same submission; everything holds under simultaneous calls."""

import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.callers import TrayCaller
from accounts.models import TokenUse
from accounts.services.token_uses import Outcome, Use, find_use, forget_used_tokens, submission_hash, use_token

CALLER = TrayCaller(
    tenant_id="6f1f8e9a-4b5c-4d6e-8f70-000000000001", object_id="0d9e2c51-6a47-4b38-9f20-000000000001",
    upn="ann.baker@contoso.example", name="Ann Baker", scope_key="a" * 64, organisation=None,
    expires_at=timezone.now() + timedelta(hours=1),
)  # fmt: skip
PRINTER, MOUSE = (submission_hash(title=title, description="") for title in ("Printer", "Mouse"))


def use(content: str, caller: TrayCaller = CALLER) -> Use:
    with transaction.atomic():
        return use_token(caller=caller, content_hash=content)


@pytest.mark.django_db
def test_token_buys_one_submission_and_a_repetition_is_the_same() -> None:
    first = use(PRINTER)
    assert first.outcome is Outcome.FIRST
    assert use(PRINTER) == Use(first.instance_id, Outcome.SAME)


@pytest.mark.django_db
def test_other_content_gets_a_lasting_refusal_of_its_own() -> None:
    first, refused = use(PRINTER), use(MOUSE)
    assert refused.outcome is Outcome.EXCHANGED
    assert refused.instance_id != first.instance_id
    assert use(MOUSE) == refused
    assert use(PRINTER).outcome is Outcome.SAME
    found = find_use(refused.instance_id)
    assert found is not None
    assert found.ordinal == 0


@pytest.mark.django_db
def test_another_token_of_the_same_person_buys_again() -> None:
    use(PRINTER)
    again = use(PRINTER, replace(CALLER, scope_key="b" * 64))
    assert again.outcome is Outcome.FIRST


@pytest.mark.django_db
def test_rolled_back_submission_gives_the_token_back() -> None:
    with transaction.atomic():
        use_token(caller=CALLER, content_hash=PRINTER)
        transaction.set_rollback(True)
    assert use(MOUSE).outcome is Outcome.FIRST


@pytest.mark.django_db
def test_setting_allows_several_submissions_a_person_and_hour(settings: Settings) -> None:
    settings.TRAY_SUBMISSIONS_PER_TOKEN = 3
    outcomes = [use(submission_hash(title=str(number), description="")).outcome for number in range(5)]
    assert outcomes == [Outcome.FIRST] * 3 + [Outcome.EXCHANGED] * 2
    eve = replace(CALLER, object_id=str(uuid.uuid4()), scope_key="c" * 64)
    assert use(PRINTER, eve).outcome is Outcome.FIRST
    TokenUse.objects.update(created_at=timezone.now() - timedelta(hours=1, seconds=1))
    assert use(MOUSE).outcome is Outcome.FIRST
    assert use(submission_hash(title="4", description="")).outcome is Outcome.EXCHANGED, "a refusal stays one"


@pytest.mark.django_db
def test_new_token_always_buys_one_whatever_the_hour_saw(settings: Settings) -> None:
    settings.TRAY_SUBMISSIONS_PER_TOKEN = 2
    for number in range(4):
        assert use(PRINTER, replace(CALLER, scope_key=f"{number}" * 64)).outcome is Outcome.FIRST


@pytest.mark.django_db
def test_people_of_a_gateway_are_counted_by_their_name(settings: Settings) -> None:
    settings.TRAY_SUBMISSIONS_PER_TOKEN = 2
    ann = replace(CALLER, object_id=None)
    eve = replace(CALLER, object_id=None, upn="eve@contoso.example", scope_key="e" * 64)
    assert [use(PRINTER, ann).outcome, use(MOUSE, ann).outcome] == [Outcome.FIRST] * 2
    assert [use(PRINTER, eve).outcome, use(MOUSE, eve).outcome] == [Outcome.FIRST] * 2


@pytest.mark.django_db(transaction=True)
def test_outside_of_a_transaction_it_refuses_to_run() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        use_token(caller=CALLER, content_hash=PRINTER)


@pytest.mark.django_db
def test_first_use_costs_three_statements(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with transaction.atomic(), django_assert_num_queries(3):
        use_token(caller=CALLER, content_hash=PRINTER)


@pytest.mark.django_db
def test_ended_tokens_are_forgotten_after_a_day() -> None:
    use(PRINTER)
    old = replace(CALLER, scope_key="d" * 64, expires_at=timezone.now() - timedelta(days=1, seconds=1))
    use(PRINTER, old)
    assert forget_used_tokens() == 1
    assert TokenUse.objects.get().scope_key == CALLER.scope_key


def _at_once(contents: list[str]) -> list[Use]:
    """Every content from a thread and a connection of its own, all at the same moment."""
    barrier = Barrier(len(contents))

    def submit(content: str) -> Use:
        try:
            barrier.wait(20)
            return use(content)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(contents)) as pool:
        return list(pool.map(submit, contents))


@pytest.mark.django_db(transaction=True)
def test_twenty_equal_submissions_at_once_are_one() -> None:
    uses = _at_once([PRINTER] * 20)
    assert len({one.instance_id for one in uses}) == 1
    assert Counter(one.outcome for one in uses) == {Outcome.FIRST: 1, Outcome.SAME: 19}


@pytest.mark.django_db(transaction=True)
def test_of_many_different_submissions_at_once_one_buys() -> None:
    contents = [submission_hash(title=str(number), description="") for number in range(10)] * 2
    uses = _at_once(contents)
    assert Counter(one.outcome for one in uses)[Outcome.FIRST] == 1
    by_content = {content: {one.instance_id for one, of in zip(uses, contents, strict=True) if of == content}
                  for content in contents}  # fmt: skip
    assert all(len(ids) == 1 for ids in by_content.values())
    assert len({one.instance_id for one in uses}) == 10


@pytest.mark.django_db(transaction=True)
def test_limit_of_the_hour_holds_for_simultaneous_submissions(settings: Settings) -> None:
    settings.TRAY_SUBMISSIONS_PER_TOKEN = 4
    uses = _at_once([submission_hash(title=str(number), description="") for number in range(12)])
    assert Counter(one.outcome for one in uses) == {Outcome.FIRST: 4, Outcome.EXCHANGED: 8}


@given(st.tuples(st.text(), st.text(), st.text()), st.tuples(st.text(), st.text(), st.text()))
def test_content_is_equal_exactly_when_every_part_is(one: tuple[str, str, str], two: tuple[str, str, str]) -> None:
    hashes = [submission_hash(title=a, description=b, picture=c) for a, b, c in (one, two)]
    assert (hashes[0] == hashes[1]) == (one == two)

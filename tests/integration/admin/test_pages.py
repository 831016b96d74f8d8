"""Every registered page answers, for everybody who may look."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Model
from django.test import RequestFactory
from django.urls import reverse
from django_celery_beat.models import ClockedSchedule, SolarSchedule

from accounts.choices import Role
from tests.integration.admin.conftest import Browse, Hub

pytestmark = pytest.mark.django_db
MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)


def address(model: type[Model], what: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{what}", args=args)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.LEAD, Role.AUDITOR])
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_list_and_page_of_each_model_open(model: type[Model], role: Role, hub: Hub, browse: Browse) -> None:
    client = browse(role)
    assert client.get(address(model, "changelist"), {"q": "on"}).status_code == 200
    assert client.get(address(model, "changelist")).status_code == 200
    row = model._default_manager.first()
    if row is not None:
        assert client.get(address(model, "change", row.pk)).status_code == 200


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_only_what_may_be_added_offers_a_form(model: type[Model], hub: Hub, browse: Browse) -> None:
    client = browse(Role.ADMIN)
    model_admin: Any = admin.site._registry[model]
    expected = 403 if model_admin.add_action is None else 200
    assert client.get(address(model, "add")).status_code == expected


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_every_field_that_can_be_filled_in_explains_itself(model: type[Model], hub: Hub, browse: Browse) -> None:
    user = browse(Role.ADMIN).user
    request = RequestFactory().get("/admin/")
    request.user = user
    model_admin = admin.site._registry[model]
    forms = []
    if model_admin.has_add_permission(request):
        forms.append(model_admin.get_form(request))
    row = model._default_manager.exclude(pk=user.pk).first()
    if row is not None and model_admin.has_change_permission(request, row):
        forms.append(model_admin.get_form(request, row, change=True))
        forms += [formset.form for formset, inline in model_admin.get_formsets_with_inlines(request, row)
                  if inline.has_add_permission(request, row)]  # fmt: skip
    silent = {
        name
        for form in forms
        for name, field in form.base_fields.items()
        if not field.help_text and not field.widget.is_hidden
    }
    assert silent == set()


def test_django_groups_and_unused_schedules_are_not_offered() -> None:
    assert not {Group, SolarSchedule, ClockedSchedule} & set(admin.site._registry)


@pytest.mark.parametrize("query", ["?state=parked", "?state=nonsense", "?tracker__id__exact=1"])
def test_deliveries_filter(query: str, hub: Hub, browse: Browse) -> None:
    assert browse(Role.LEAD).get(f"/admin/tickets/submission/{query}", follow=True).status_code == 200


@pytest.mark.parametrize("words", ["HUB-{pk}", "printer", "person", "\x00", "no such thing"])
def test_ticket_search_finds_by_key_title_and_requester(words: str, hub: Hub, browse: Browse) -> None:
    page = browse(Role.LEAD).get("/admin/tickets/ticket/", {"q": words.format(pk=hub.ours.pk)})
    assert page.status_code == 200
    if words.startswith("HUB") or words == "printer":
        assert [ticket.pk for ticket in page.context["cl"].result_list] == [hub.ours.pk]


@pytest.mark.parametrize("words", ["HUB-{pk}", "printer", "hub-{pk}"])
def test_deliveries_are_found_by_their_ticket(words: str, hub: Hub, browse: Browse) -> None:
    page = browse(Role.LEAD).get("/admin/tickets/submission/", {"q": words.format(pk=hub.ours.pk)})
    assert [row.ticket_id for row in page.context["cl"].result_list] == [hub.ours.pk]

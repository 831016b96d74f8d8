"""A filter that got a name is in the sidebar of the person who named it, and nowhere else."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from tests.factories.accounts import technician
from tickets.models import SavedView
from tickets.services.saved_views import MOST_VIEWS

QUERY = "view=open&priority=urgent"


def save(browser: Client, name: str = "Urgent ones", query: str = QUERY) -> SavedView:
    browser.post("/queue/views/", {"name": name, "query": query})
    return SavedView.objects.latest("pk")


def test_a_named_filter_appears_in_the_sidebar_and_leads_to_its_list(browser: Client, board: object) -> None:
    answer = browser.post("/queue/views/", {"name": "  Urgent\tones ", "query": f"{QUERY}&before=12&nonsense=1"})
    assert answer["Location"] == f"/?{QUERY.replace('view=open&', 'view=open&')}"
    page = browser.get(f"/?{QUERY}")
    (link,) = [link for link in page.context["hub"].links if link.place.url_name == "queue"]
    assert [(spot.label, spot.url, spot.is_here) for spot in link.spots] == [("Urgent ones", f"/?{QUERY}", True)]
    assert '<span class="crumb">Urgent ones</span>' in page.content.decode()
    elsewhere = browser.get("/?view=open").context["hub"].links[0].spots
    assert [spot.is_here for spot in elsewhere] == [False]


def test_nobody_else_sees_or_changes_it(browser: Client, browser_of: Callable[[User], Client], board: object) -> None:
    view = save(browser)
    other = browser_of(technician(email="other@hub.example"))
    assert other.get("/").context["hub"].links[0].spots == []
    assert other.post(f"/queue/views/{view.pk}/rename/", {"name": "Mine now"}).status_code == 404
    assert other.post(f"/queue/views/{view.pk}/delete/").status_code == 404
    assert SavedView.objects.get().name == "Urgent ones"
    save(other, "Urgent ones")  # a name is taken for one person only
    assert SavedView.objects.count() == 2


def test_it_is_renamed_and_deleted(browser: Client, board: object) -> None:
    view = save(browser)
    assert browser.post(f"/queue/views/{view.pk}/rename/", {"name": "On fire"})["Location"] == f"/?{QUERY}"
    assert SavedView.objects.get().name == "On fire"
    assert browser.post(f"/queue/views/{view.pk}/rename/", {"name": "ON FIRE"}).status_code == 302  # its own name
    assert browser.post(f"/queue/views/{view.pk}/delete/")["Location"] == f"/?{QUERY}"
    assert not SavedView.objects.exists()


@pytest.mark.parametrize(("name", "status"), [("", 400), (" \t", 400), ("x" * 61, 400), ("urgent ONES", 409)])
def test_a_bad_or_taken_name_is_refused_in_words(browser: Client, board: object, name: str, status: int) -> None:
    save(browser)
    assert browser.post("/queue/views/", {"name": name, "query": QUERY}).status_code == status
    assert SavedView.objects.count() == 1


def test_there_is_an_end_to_them(browser: Client, tech: User, board: object) -> None:
    SavedView.objects.bulk_create(SavedView(owner=tech, name=str(number)) for number in range(MOST_VIEWS))
    assert browser.post("/queue/views/", {"name": "One more", "query": QUERY}).status_code == 409
    assert SavedView.objects.count() == MOST_VIEWS

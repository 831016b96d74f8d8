"""What is sent to make an issue, and what is given up when Jira refuses a part."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supporthub.core.errors import Rejected
from supporthub.core.html import sanitise
from supporthub.integrations.jira.adf import measure, validate
from supporthub.integrations.jira.schemas import CreateField, IssueType
from tickets.clients.jira_issue import (
    Body,
    Plan,
    description,
    explained,
    first_plan,
    labels_of,
    payload,
    without_refused,
)
from tickets.clients.jira_metadata import Screen, find_priority, find_type, unfilled
from tickets.ports import IssueDraft

DRAFT = IssueDraft(
    tag="ext-abc", project_key="HELP", issue_type="Task", title="Printer is broken", html="<p>It <b>smokes</b>.</p>",
    text="It smokes.", priority="high", labels=("helpdesk",), reporter_email="ada@contoso.example",
    reporter_name="Ada Jansen", ticket_key="HUB-12", link="https://hub.example/tickets/HUB-12/",
)  # fmt: skip
NAMES = ("summary", "project", "issuetype", "description", "labels", "priority", "reporter")
PRIORITIES = [{"id": "1", "name": "Highest"}, {"id": "2", "name": "High"}, {"id": "3", "name": "Medium"}]


def screen(*names: str, **more: CreateField) -> Screen:
    fields: dict[str, CreateField] = {name: {"fieldId": name} for name in names}
    if "priority" in fields:
        fields["priority"]["allowedValues"] = list(PRIORITIES)
    return Screen("10001", "software", "10002", {**fields, **more})


def plan(**changes: Any) -> Plan:
    return replace(first_plan(DRAFT, screen(*NAMES), "acc-1", "2"), **changes)


def refusal(*fields: str, status: int = 400) -> Rejected:
    return Rejected("no", code="rejected", status=status, fields=dict.fromkeys(fields, "Feld nicht verfügbar"))


def words(doc: Any) -> str:
    if isinstance(doc, dict):
        return str(doc.get("text", "")) + words(doc.get("content", []))
    return " ".join(words(item) for item in doc)


def test_the_payload_carries_tag_as_property_and_label() -> None:
    body = payload(plan())
    assert body["properties"] == [{"key": "supporthub", "value": {"tag": "ext-abc", "ticket": "HUB-12"}}]
    assert body["fields"]["labels"] == ["helpdesk", "ext-abc"]
    assert body["fields"]["project"] == {"id": "10001"}
    assert body["fields"]["issuetype"] == {"id": "10002"}
    assert body["fields"]["priority"] == {"id": "2"}
    assert body["fields"]["reporter"] == {"id": "acc-1"}


def test_no_address_is_put_into_the_property() -> None:
    assert "@" not in str(payload(plan())["properties"])


def test_without_a_project_id_its_key_is_used() -> None:
    unknown = Screen("", "", "10002", {})
    assert payload(first_plan(DRAFT, unknown, "", ""))["fields"]["project"] == {"key": "HELP"}


def test_a_known_reporter_is_not_named_in_the_text() -> None:
    assert "Requested by" not in words(payload(plan())["fields"]["description"])


def test_an_unknown_reporter_is_named_in_the_first_line() -> None:
    document = payload(plan(reporter=""))["fields"]["description"]
    assert words(document["content"][0]).strip() == "Requested by Ada Jansen <ada@contoso.example>"


@pytest.mark.parametrize("body", [Body.RICH, Body.PLAIN])
def test_the_last_line_leads_back_to_our_ticket(body: Body) -> None:
    document = description(DRAFT, body, name_requester=False)
    assert document is not None
    last = str(document["content"][-1])
    assert "HUB-12" in last
    assert DRAFT.link in last


def test_a_requester_cannot_put_markup_into_the_first_line() -> None:
    draft = replace(DRAFT, reporter_name='<a href="https://evil.example">x</a>\n\n\x00y')
    document = description(draft, Body.RICH, name_requester=True)
    assert document is not None
    assert "marks" not in str(document["content"][0])
    assert "evil.example" in words(document["content"][0])


@settings(max_examples=40)
@given(
    st.text(max_size=300),
    st.text(max_size=60),
    st.text(max_size=60),
    st.sampled_from([Body.RICH, Body.PLAIN]),
    st.booleans(),
)
def test_every_description_is_a_valid_document(text: str, name: str, email: str, body: Body, named: bool) -> None:
    draft = replace(DRAFT, html=sanitise(f"<p>{text}</p>"), text=text, reporter_name=name, reporter_email=email)
    document = description(draft, body, name_requester=named)
    assert document is not None
    assert validate(document) == []


@pytest.mark.parametrize("body", [Body.RICH, Body.PLAIN])
def test_a_huge_mail_still_fits_and_keeps_its_last_line(body: Body) -> None:
    draft = replace(DRAFT, html="<p>word</p>" * 40_000, text="word\n" * 40_000, reporter_name="n" * 5_000)
    document = description(draft, body, name_requester=True)
    assert document is not None
    assert measure(document) <= 30_000
    assert "HUB-12" in str(document["content"][-1])


@given(st.text(max_size=600))
def test_a_summary_is_one_line_of_at_most_255_characters_and_never_empty(title: str) -> None:
    summary = payload(first_plan(replace(DRAFT, title=title), screen(*NAMES), "", ""))["fields"]["summary"]
    assert 1 <= len(summary) <= 255
    assert len(summary.splitlines()) == 1


@given(st.lists(st.text(max_size=300), max_size=5))
def test_labels_have_no_white_space_and_end_with_the_tag(labels: list[str]) -> None:
    made = labels_of(replace(DRAFT, labels=tuple(labels)))
    assert made[-1] == "ext-abc"
    assert len(set(made)) == len(made)
    for label in made:
        assert 1 <= len(label) <= 255
        assert not any(char.isspace() for char in label)


def test_fields_that_the_screen_lacks_are_left_out_at_once_and_noted() -> None:
    made = first_plan(DRAFT, screen("summary", "project", "issuetype"), "acc-1", "")
    assert payload(made)["fields"].keys() == {"project", "issuetype", "summary"}
    assert {item.field for item in made.adjustments} == {"reporter", "labels", "description", "priority"}


def test_an_unknown_screen_is_tried_in_full() -> None:
    made = first_plan(DRAFT, Screen("", "", "1", {}), "acc-1", "2")
    assert payload(made)["fields"].keys() >= {"reporter", "labels", "priority", "description"}
    assert made.adjustments == ()


def test_a_refused_reporter_goes_and_the_text_names_the_requester() -> None:
    lighter = without_refused(plan(), refusal("reporter"))
    assert lighter is not None
    fields = payload(lighter)["fields"]
    assert "reporter" not in fields
    assert "Requested by Ada" in words(fields["description"])
    assert [item.field for item in lighter.adjustments] == ["reporter"]
    assert "Feld nicht verfügbar" in lighter.adjustments[0].reason


def test_several_refused_fields_go_together() -> None:
    lighter = without_refused(plan(), refusal("reporter", "priority", "labels"))
    assert lighter is not None
    assert payload(lighter)["fields"].keys() == {"project", "issuetype", "summary", "description"}


def test_a_refused_description_is_sent_plain_then_not_at_all_then_the_refusal_is_final() -> None:
    plain = without_refused(plan(), refusal("description"))
    assert plain is not None
    assert plain.body == Body.PLAIN
    bare = without_refused(plain, refusal("description"))
    assert bare is not None
    assert "description" not in payload(bare)["fields"]
    assert without_refused(bare, refusal("description")) is None


@pytest.mark.parametrize("status", [400, 413])
def test_a_refusal_that_names_no_field_is_taken_for_the_description(status: int) -> None:
    lighter = without_refused(plan(), refusal(status=status))
    assert lighter is not None
    assert lighter.body == Body.PLAIN


@pytest.mark.parametrize(
    "refused", [refusal("customfield_1"), refusal("reporter", "customfield_1"), refusal("reporter", status=403)]
)
def test_what_cannot_be_mended_by_leaving_out_is_final(refused: Rejected) -> None:
    assert without_refused(plan(), refused) is None


@given(st.lists(st.sets(st.sampled_from(["reporter", "priority", "labels", "description"]))))
def test_leaving_out_comes_to_an_end(refusals: list[set[str]]) -> None:
    current: Plan | None = plan()
    steps = 0
    for names in refusals:
        assert current is not None
        current = without_refused(current, refusal(*sorted(names)))
        if current is None:
            break
        steps += 1
    assert steps <= 5


def test_a_required_field_is_named_as_people_know_it_with_the_fix() -> None:
    cost: CreateField = {"fieldId": "customfield_7", "name": "Cost centre"}
    error = explained(refusal("customfield_7"), plan(screen=screen(*NAMES, customfield_7=cost)))
    assert "HELP needs the field 'Cost centre'" in error.reason
    assert "a Jira admin can" in error.reason
    assert error.code == "field_refused"


def test_unfilled_required_fields_are_found() -> None:
    cost: CreateField = {"fieldId": "customfield_7", "name": "Cost centre", "required": True}
    site: CreateField = {"fieldId": "customfield_8", "name": "Site", "required": True, "hasDefaultValue": True}
    assert unfilled(screen(*NAMES, customfield_7=cost, customfield_8=site), frozenset(NAMES)) == ["Cost centre"]


@pytest.mark.parametrize(("ours", "theirs"), [("urgent", "1"), ("high", "2"), ("normal", "3"), ("low", "")])
def test_priorities_are_found_by_name(ours: str, theirs: str) -> None:
    assert find_priority(screen(*NAMES), ours) == theirs


def test_priorities_of_a_translated_default_scheme_are_found_by_id() -> None:
    shown: CreateField = {"fieldId": "priority", "allowedValues": [{"id": "2", "name": "Haute"}]}
    assert find_priority(screen(priority=shown), "high") == "2"
    assert find_priority(screen(priority=shown), "low") == ""


def test_issue_types_are_found_by_id_or_name_and_never_a_sub_task() -> None:
    types: list[IssueType] = [
        {"id": "1", "name": "Task"},
        {"id": "2", "name": "Sub", "subtask": True},
        {"id": "3", "name": "Bug"},
    ]
    assert find_type(types, "3") == types[2]
    assert find_type(types, " tASK ") == types[0]
    assert find_type(types, "Sub") is None
    assert find_type(types, "Story") is None

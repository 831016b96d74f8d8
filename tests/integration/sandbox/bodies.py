"""Bodies that the tests send."""

from typing import Any

import httpx

Json = dict[str, Any]


def paragraph(text: str) -> Json:
    """A document of one paragraph."""
    return {
        "type": "doc",
        "version": 1,
        "content": [{"type": "paragraph", "content": [{"type": "text", "text": text}]}],
    }


def new_issue(tag: str = "ext-1", **fields: Any) -> Json:
    """A valid create body with label and property; a field of None is left out."""
    values: Json = {
        "project": {"key": "HELP"},
        "issuetype": {"id": "10001"},
        "summary": "Printer on fire",
        "description": paragraph("It burns."),
        "labels": [tag],
        **fields,
    }
    shown = {name: value for name, value in values.items() if value is not None}
    return {"fields": shown, "properties": [{"key": "ext", "value": {"tag": tag}}]}


def create(jira: httpx.Client, tag: str = "ext-1", **fields: Any) -> str:
    """Create an issue and return its key."""
    answer = jira.post("/issue", json=new_issue(tag, **fields))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["key"])

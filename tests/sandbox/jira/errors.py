"""Refusals in Jira's shape: ``{"errorMessages": [...], "errors": {...}}`` (OpenAPI: ErrorCollection)."""

from collections.abc import Mapping, Sequence

from tests.sandbox.exchange import Answer, json_answer

NO_ISSUE = "Issue does not exist or you do not have permission to see it."
NOT_A_DOCUMENT = "Operation value must be an Atlassian Document (see the Atlassian Document Format)"
TOO_LONG = "The entered text is too long. It exceeds the allowed limit of 32,767 characters."


class JiraError(Exception):
    """A refusal. Nothing of the request's effects is kept."""

    def __init__(self, status: int, messages: Sequence[str] = (), errors: Mapping[str, str] | None = None) -> None:
        super().__init__(status, messages, errors)
        self.status = status
        self.messages = list(messages)
        self.errors = dict(errors or {})

    def as_answer(self) -> Answer:
        """The refusal as it goes over the wire."""
        answer = json_answer({"errorMessages": self.messages, "errors": self.errors}, self.status)
        answer.keep_effects = False
        return answer


def bad_request(*messages: str) -> JiraError:
    """400 with general messages."""
    return JiraError(400, messages)


def bad_fields(errors: Mapping[str, str]) -> JiraError:
    """400 with texts by field id."""
    return JiraError(400, (), errors)


def not_found(message: str = NO_ISSUE) -> JiraError:
    """404, also for what the account may not see."""
    return JiraError(404, (message,))


def forbidden(message: str) -> JiraError:
    """403."""
    return JiraError(403, (message,))


def not_on_screen(field_id: str) -> str:
    """The text for a field that exists nowhere or is not on the screen; Jira does not tell these apart."""
    return f"Field '{field_id}' cannot be set. It is not on the appropriate screen, or unknown."

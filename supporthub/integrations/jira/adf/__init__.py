"""Atlassian Document Format: mail made into documents for Jira, checked, and read back. Pure.

The usual way: `from_html(sanitise(body))`. When Jira answers 400 and names the body, nothing was created, and one
more try with `from_text` is safe.
"""

from supporthub.integrations.jira.adf.convert import from_html, from_text
from supporthub.integrations.jira.adf.measure import LIMIT, NOTICE, measure
from supporthub.integrations.jira.adf.render import to_html, to_text
from supporthub.integrations.jira.adf.repair import repair
from supporthub.integrations.jira.adf.schema import Doc, Node
from supporthub.integrations.jira.adf.validate import Problem, validate

__all__ = [
    "LIMIT", "NOTICE", "Doc", "Node", "Problem", "from_html", "from_text", "measure", "repair", "to_html", "to_text",
    "validate",
]  # fmt: skip

"""What a fresh Jira holds."""

from tests.sandbox.jira.site import HUB_ACCOUNT
from tests.sandbox.options import JIRA_USER
from tests.sandbox.store import Store

FIRST_ISSUE = 10_000
ADA, ADAM, HIDDEN, CUSTOMER, GONE, DEV = (f"557058:00000000-0000-4000-8000-{number:012d}" for number in range(1, 7))
ACCOUNTS = (
    (HUB_ACCOUNT, "Support Hub", JIRA_USER, 0, "atlassian", 1, "Europe/Amsterdam"),
    (ADA, "Ada Jansen", "ada.jansen@contoso.example", 0, "atlassian", 1, "Europe/Amsterdam"),
    (ADAM, "Adam Smit", "ada.jansen@contoso.example.org", 0, "atlassian", 1, "Europe/London"),
    (HIDDEN, "Hanna Berg", "hanna.berg@contoso.example", 1, "atlassian", 1, "Europe/Berlin"),
    (CUSTOMER, "Carlo Customer", "carlo@customer.example", 0, "customer", 1, "Europe/Rome"),
    (GONE, "Gone Gerrit", "gerrit@contoso.example", 0, "atlassian", 0, "Europe/Amsterdam"),
    (DEV, "Dewi Visser", "dewi.visser@contoso.example", 0, "atlassian", 1, "Europe/Amsterdam"),
)
PROJECTS = (
    (10_001, "HELP", "Helpdesk", "software", "simple", ADA),
    (10_002, "NET", "Network", "software", "strict", DEV),
)


def seed(store: Store) -> None:
    """Fill the empty tables; the caller holds the transaction."""
    for account in ACCOUNTS:
        store.run("INSERT INTO account VALUES (?, ?, ?, ?, ?, ?, ?)", *account)
    for project in PROJECTS:
        store.run("INSERT INTO project (id, key, name, type_key, workflow, lead) VALUES (?, ?, ?, ?, ?, ?)", *project)
    for table in ("issue", "comment", "attachment", "worklog", "issue_link", "remote_link"):
        store.run("DELETE FROM sqlite_sequence WHERE name = ?", table)
        store.run("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", table, FIRST_ISSUE)

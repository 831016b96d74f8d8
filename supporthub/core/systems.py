"""What outside systems are called in sentences. The keys are those of SUPPORTHUB_SANDBOX_ACTIVE."""

from typing import Final

NAMES: Final = {"jira": "Jira", "entra": "Entra ID", "graph": "Microsoft Graph", "exchange": "Exchange", "scim": "SCIM"}


def name_of(system: str) -> str:
    """Return the system's name; one that has none here keeps its key."""
    return NAMES.get(system, system)

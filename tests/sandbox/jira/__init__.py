"""Jira Cloud: REST v3 and the agile API, below ``/jira``."""

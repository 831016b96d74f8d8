"""Accounts: the caller, user search, users by id."""

import sqlite3
from typing import Any

from tests.sandbox.exchange import Answer, Call, json_answer
from tests.sandbox.jira.errors import JiraError, bad_request, not_found
from tests.sandbox.jira.site import HUB_ACCOUNT, Site, whole_number


def user_shape(site: Site, account: sqlite3.Row | None) -> dict[str, Any] | None:
    """A user as others see them: a mail address hidden by the profile's privacy setting is left out."""
    if account is None:
        return None
    shape: dict[str, Any] = {
        "self": site.link(f"user?accountId={account['id']}"),
        "accountId": account["id"],
        "avatarUrls": {"48x48": f"{site.url}/avatar/{account['id']}"},
        "displayName": account["name"],
        "active": bool(account["active"]),
        "timeZone": account["timezone"],
        "accountType": account["type"],
    }
    if not account["hidden"]:
        shape["emailAddress"] = account["email"]
    return shape


def user(site: Site, account_id: str | None) -> dict[str, Any] | None:
    """A user by account id; None stays None."""
    return user_shape(site, site.account(account_id)) if account_id else None


def myself(site: Site, call: Call) -> Answer:
    """``GET /myself``."""
    shape = user(site, HUB_ACCOUNT) or {}
    return json_answer({**shape, "locale": "en_GB", "groups": {"size": 1, "items": []}})


def get_user(site: Site, call: Call) -> Answer:
    """``GET /user?accountId=``."""
    account_id = call.one("accountId")
    if not account_id:
        raise bad_request("The query parameter 'accountId' must be provided.")
    shape = user(site, account_id)
    if shape is None:
        raise not_found("Specified user does not exist or you do not have required permissions")
    return json_answer(shape)


def users_bulk(site: Site, call: Call) -> Answer:
    """``GET /user/bulk?accountId=…&accountId=…``; unknown ids are left out."""
    wanted = call.query.get("accountId", [])
    if not wanted:
        raise bad_request("accountId is required.")
    start, size = whole_number(call, "startAt", 0), whole_number(call, "maxResults", 10, 200)
    found = [shape for shape in (user(site, account_id) for account_id in wanted) if shape is not None]
    part = found[start : start + size]
    last = start + len(part) >= len(found)
    return json_answer({"maxResults": size, "startAt": start, "total": len(found), "isLast": last, "values": part})


def search_users(site: Site, call: Call) -> Answer:
    """``GET /user/search``: prefixes of the display name's words and of the mail address, hidden addresses included.

    Without *Browse users and groups* the list is empty, not an error.
    """
    query, account_id = call.one("query").casefold().strip(), call.one("accountId")
    if not query and not account_id:
        raise JiraError(400, ("Either the 'query', 'accountId' or 'property' query parameter has to be provided",))
    if not site.allowed(call, "USER_PICKER"):
        return json_answer([])
    start, size = whole_number(call, "startAt", 0), whole_number(call, "maxResults", 50, 1000)
    rows = site.store.rows("SELECT * FROM account WHERE active = 1 ORDER BY name, id")
    hits = [row for row in rows if (row["id"] == account_id if account_id else _matches(row, query))]
    return json_answer([user_shape(site, row) for row in hits[start : start + size]])


def _matches(account: sqlite3.Row, query: str) -> bool:
    name = str(account["name"]).casefold()
    starts = [name, *name.split()]
    return any(start.startswith(query) for start in starts) or str(account["email"]).casefold().startswith(query)

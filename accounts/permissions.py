"""The one policy: what a principal may do, and where.

A principal is a snapshot of a user's grants. It is pure and hashable by `key`, so that live updates can judge an event
once for everybody with the same rights.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.choices import ALLOWED, Action, Role
from accounts.models import User
from supporthub.core.errors import NotAllowed


@dataclass(frozen=True, slots=True)
class Grant:
    """A role on one organisation or one board, or, with neither, everywhere."""

    role: str
    organisation: int | None = None
    board: int | None = None

    def covers(self, action: Action, organisation: int | None, board: int | None) -> bool:
        if action not in ALLOWED[self.role]:
            return False
        if self.organisation is not None:
            return self.organisation == organisation
        return self.board is None or self.board == board


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is acting, with everything that a decision needs; no queries behind it."""

    user_id: int
    name: str
    is_active: bool
    grants: frozenset[Grant] = field(default_factory=frozenset)

    @property
    def key(self) -> frozenset[Grant]:
        """Principals with equal keys may see and do the same."""
        return self.grants if self.is_active else frozenset()

    def may(self, action: Action, *, organisation: int | None = None, board: int | None = None) -> bool:
        """Return whether `action` is allowed on an object of this organisation and board."""
        return self.is_active and any(grant.covers(action, organisation, board) for grant in self.grants)

    def may_anywhere(self, action: Action) -> bool:
        """Return whether there is any place where `action` is allowed: for menus and empty pages."""
        return self.is_active and any(action in ALLOWED[grant.role] for grant in self.grants)

    def scope(self, action: Action) -> "Scope":
        """Return where `action` is allowed, for queries."""
        grants = [grant for grant in self.grants if self.is_active and action in ALLOWED[grant.role]]
        return Scope(
            everywhere=any(grant.organisation is None and grant.board is None for grant in grants),
            organisations=frozenset(grant.organisation for grant in grants if grant.organisation is not None),
            boards=frozenset(grant.board for grant in grants if grant.board is not None),
        )


@dataclass(frozen=True, slots=True)
class Scope:
    everywhere: bool
    organisations: frozenset[int]
    boards: frozenset[int]

    @property
    def nowhere(self) -> bool:
        return not (self.everywhere or self.organisations or self.boards)


GrantSource = Callable[[int], Iterable[Grant]]
_sources: list[GrantSource] = []


def register_grant_source(source: GrantSource) -> None:
    """Let an app above add grants of its own (tickets: roles on boards). Called with a user's id."""
    _sources.append(source)


def principal_of(user: User | AnonymousUser) -> Principal:
    """Read the user's grants: one query a source. Anonymous users get a principal that may nothing."""
    if not isinstance(user, User):
        return Principal(user_id=0, name="", is_active=False)
    grants = {Grant(role, organisation) for role, organisation in user.grants.values_list("role", "organisation_id")}
    for source in _sources:
        grants.update(source(user.pk))
    if user.is_superuser:
        grants.add(Grant(Role.ADMIN))
    return Principal(user_id=user.pk, name=str(user), is_active=user.is_active, grants=frozenset(grants))


def principal_for(request: HttpRequest | Any) -> Principal:
    """Return the request's principal, read once a request."""
    django_request = getattr(request, "_request", request)
    cached = getattr(django_request, "hub_principal", None)
    if cached is None or cached.user_id != (request.user.pk or 0):
        cached = principal_of(request.user)
        setattr(django_request, "hub_principal", cached)  # noqa: B010  (our own note on Django's request)
    return cached


def demand(principal: Principal, action: Action, *, organisation: int | None = None, board: int | None = None) -> None:
    """Raise NotAllowed unless `action` is allowed there."""
    if not principal.may(action, organisation=organisation, board=board):
        raise NotAllowed(_("Your roles do not allow this here. A lead can change that in the admin."))

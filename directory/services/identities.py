"""People who are known to Entra: which row is whose, when names and addresses move from one person to another."""

import uuid
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from accounts.models import Organisation, VerifiedDomain
from accounts.selectors import organisation_of_address, unknown_organisation
from directory.models import PLACEHOLDER_DOMAIN, Person

_TRIES = 5


@dataclass(frozen=True, slots=True)
class _Claim:
    """Who somebody says to be, proven by a token or a gateway."""

    tenant_id: uuid.UUID
    object_id: uuid.UUID | None
    upn: str
    organisation: Organisation | None


def identify_person(
    *, tenant_id: str, object_id: str | None, upn: str, name: str = "", organisation: Organisation | None = None
) -> Person:
    """Return the person that a verified token (or a gateway) names, made on first sight. Safe to call at once.

    `tenant_id` and `object_id` are GUIDs; `object_id` is None when only a gateway's word is known. `upn` is what Entra
    calls them now; letter case does not count. `organisation` is that of the tenant. The rules, in order:

    1. Somebody with this tenant and object id is that person, whatever they are called today. A new `upn` is noted; the
       address follows it when it was the old one.
    2. Without an object id, whoever holds this `upn` in this tenant is the person. The first token that brings an
       object id for a `upn` without one resolves it, once and for ever.
    3. A row that is known by nothing but this address (mail, phone) becomes this person's when it belongs to the same
       organisation: there, the address is all that anybody ever knew. So does one that could not be placed, unless the
       organisation has verified domains and this address has none of them.
    4. Otherwise a new person is made, and nobody's tickets change hands. Two accounts of one tenant never have one name
       at the same time, so a row of this tenant that still holds the name or the address is of a person who lost them:
       it keeps its tickets and gives up both; mail about them goes nowhere rather than to the new holder. A row of
       another tenant or organisation keeps its address, and the new person gets one that cannot receive mail.
    """
    claim = _Claim(uuid.UUID(tenant_id), uuid.UUID(object_id) if object_id else None, upn.strip().lower(), organisation)
    found = _settled(claim)
    tries = _TRIES
    while found is None:
        try:
            with transaction.atomic():
                found = _renamed(claim) or _resolved(claim) or _adopted(claim) or _made(claim, name)
        except IntegrityError:  # another transaction has just written the same name, address or identity: look again
            tries -= 1
            if not tries:
                raise
            found = _settled(claim)
    return _with_name(found, name)


def placeholder() -> str:
    """An address that nobody has and that mail cannot reach."""
    return f"{uuid.uuid4()}@{PLACEHOLDER_DOMAIN}"


def _settled(claim: _Claim) -> Person | None:
    """The usual case, in one query: the row says all of it already. In gateway mode the name alone decides."""
    people = Person.objects.select_related("organisation").filter(tenant_id=claim.tenant_id, upn=claim.upn)
    return people.filter(object_id=claim.object_id).first() if claim.object_id else people.first()


def _renamed(claim: _Claim) -> Person | None:
    """Rule 1, under a new name."""
    if claim.object_id is None:
        return None
    known = Person.objects.filter(tenant_id=claim.tenant_id, object_id=claim.object_id).first()
    if known is None:
        return None
    person = _without_predecessors(claim, known.pk)
    follows = person.email == person.upn or not person.is_reachable
    person.upn = claim.upn
    if follows and not Person.objects.filter(email=claim.upn).exists():
        person.email = claim.upn
    person.save(update_fields=["upn", "email", "updated_at"])
    return person


def _resolved(claim: _Claim) -> Person | None:
    """Rule 2, when an object id comes for a name that a gateway brought."""
    if claim.object_id is None:
        return None
    person = _locked().filter(tenant_id=claim.tenant_id, upn=claim.upn, object_id=None).first()
    if person is not None:
        person.object_id = claim.object_id
        person.save(update_fields=["object_id", "updated_at"])
    return person


def _adopted(claim: _Claim) -> Person | None:
    """Rule 3."""
    known = Person.objects.select_related("organisation").filter(email=claim.upn, tenant_id=None).first()
    if known is None or not _is_of(known, claim):
        return None
    person = _without_predecessors(claim, known.pk)
    if person.tenant_id is not None:
        raise IntegrityError("another transaction has adopted this person")
    person.organisation = claim.organisation or person.organisation
    person.tenant_id, person.object_id, person.upn = claim.tenant_id, claim.object_id, claim.upn
    person.save(update_fields=["organisation", "tenant_id", "object_id", "upn", "updated_at"])
    return person


def _is_of(person: Person, claim: _Claim) -> bool:
    """Whether a row that only an address describes is of the organisation whose tenant vouches for the address."""
    home = claim.organisation
    if home is None or not person.organisation.is_unknown:
        return home == person.organisation
    domains = VerifiedDomain.objects.filter(tenant__organisation=home)
    return not domains.exists() or domains.filter(name__iexact=claim.upn.rpartition("@")[2]).exists()


def _made(claim: _Claim, name: str) -> Person:
    """Rule 4."""
    _without_predecessors(claim)
    taken = Person.objects.filter(email=claim.upn).exists()
    home = claim.organisation or organisation_of_address(claim.upn) or unknown_organisation()
    return Person.objects.create(
        email=placeholder() if taken else claim.upn, name=name, organisation=home, tenant_id=claim.tenant_id,
        object_id=claim.object_id, upn=claim.upn,
    )  # fmt: skip


def _without_predecessors(claim: _Claim, own: int | None = None) -> Person:
    """Lock everybody concerned, in one order; whoever of this tenant held the name or the address gives up both.

    Returns the row `own`, as it is now (a new one when there is none).
    """
    held = Q(tenant_id=claim.tenant_id) & (Q(upn=claim.upn) | Q(email=claim.upn))
    mine = Person()
    for person in _locked().filter(held | Q(pk=own)).order_by("pk"):
        if person.pk == own:
            mine = person
            continue
        person.upn = "" if person.upn == claim.upn else person.upn
        person.email = placeholder() if person.email == claim.upn else person.email
        person.save(update_fields=["upn", "email", "updated_at"])
    return mine


def _locked() -> QuerySet[Person]:
    return Person.objects.select_related("organisation").select_for_update(no_key=True, of=("self",))


def _with_name(person: Person, name: str) -> Person:
    if name and not person.name:
        Person.objects.filter(pk=person.pk, name="").update(name=name)
        person.name = name
    return person

"""A small, removable sample: two customers, three boards (two go to Jira, one stays here), people, technicians."""

from django.db import transaction
from django.db.models import ProtectedError

from accounts.choices import EntraValue, Role
from accounts.models import (
    EntraIdentity,
    EntraRoleRule,
    Organisation,
    RoleGrant,
    TenantConnection,
    User,
    VerifiedDomain,
)
from directory.models import Person
from tickets.models import Board, BoardGrant, Category, Tracker

TENANTS = {
    "contoso": ("Contoso", "contoso.example", "6f1f8e9a-4b5c-4d6e-8f70-000000000001"),
    "fabrikam": ("Fabrikam", "fabrikam.example", "6f1f8e9a-4b5c-4d6e-8f70-000000000002"),
}
BOARDS = {"helpdesk": ("Helpdesk", "HELP"), "network": ("Network", "NET"), "office": ("Office", "")}
CATEGORIES = {"hardware": "Hardware", "mail": "Mail", "access": "Access", "vpn": "VPN"}
PEOPLE = (
    ("ann.baker@contoso.example", "Ann Baker", "contoso"),
    ("joerg.mueller@contoso.example", "Jörg Müller", "contoso"),
    ("zoe.angstrom@fabrikam.example", "Zoë Ångström", "fabrikam"),
    ("omar.haddad@fabrikam.example", "Omar Haddad", "fabrikam"),
)
TECHNICIANS = (("ben@hub.example", "Ben Carter", None), ("mia@hub.example", "Mia Novak", "network"))
# Who signs in with Microsoft as whom, by object id, and what app roles give: the played Entra knows the same people.
MICROSOFT = {
    "ben@hub.example": "0d9e2c51-6a47-4b38-9f20-000000000005",
    "mia@hub.example": "0d9e2c51-6a47-4b38-9f20-000000000006",
}
APP_ROLES = {"Hub.Technician": Role.TECHNICIAN, "Hub.Lead": Role.LEAD, "Hub.Admin": Role.ADMIN}


@transaction.atomic
def load() -> bool:
    """Load the sample when there are no boards yet; False when there are. Technicians get no password."""
    if Board.objects.exists():
        return False
    organisations = {slug: _organisation(slug, *values) for slug, values in TENANTS.items()}
    jira = Tracker.objects.filter(slug="jira").first()
    boards = {}
    for slug, (name, project) in BOARDS.items():
        goes_out = jira if project else None
        boards[slug] = Board.objects.create(
            slug=slug, name=name, tracker=goes_out, project_key=project if goes_out else "",
            is_default=slug == "helpdesk",
        )  # fmt: skip
    Category.objects.bulk_create(Category(slug=slug, name=name) for slug, name in CATEGORIES.items())
    Person.objects.bulk_create(
        Person(email=email, name=name, organisation=organisations[home]) for email, name, home in PEOPLE
    )
    for email, name, board in TECHNICIANS:
        user = User.objects.create_user(email, None, name=name)
        EntraIdentity.objects.create(user=user, tenant_id=TENANTS["contoso"][2], object_id=MICROSOFT[email], upn=email)
        if board:
            BoardGrant.objects.create(user=user, board=boards[board], role=Role.TECHNICIAN)
        else:
            RoleGrant.objects.create(user=user, role=Role.TECHNICIAN)
    tenant = TenantConnection.objects.get(tenant_id=TENANTS["contoso"][2])
    for value, role in APP_ROLES.items():
        EntraRoleRule.objects.create(tenant=tenant, kind=EntraValue.ROLE, value=value, role=role)
    return True


def remove() -> int:
    """Remove what the sample made, except rows that tickets already name; returns how many rows went."""
    gone = 0
    groups = (
        User.objects.filter(email__in=[email for email, _, _ in TECHNICIANS]),
        Person.objects.filter(email__in=[email for email, _, _ in PEOPLE]),
        Category.objects.filter(slug__in=CATEGORIES),
        Board.objects.filter(slug__in=BOARDS),
        TenantConnection.objects.filter(tenant_id__in=[tenant for _, _, tenant in TENANTS.values()]),
        Organisation.objects.filter(slug__in=TENANTS),
    )
    for group in groups:
        for row in group:
            try:
                with transaction.atomic():
                    gone += row.delete()[0]
            except ProtectedError:
                continue
    return gone


def _organisation(slug: str, name: str, domain: str, tenant_id: str) -> Organisation:
    organisation = Organisation.objects.create(slug=slug, name=name)
    tenant = TenantConnection.objects.create(organisation=organisation, tenant_id=tenant_id)
    VerifiedDomain.objects.create(tenant=tenant, name=domain)
    return organisation

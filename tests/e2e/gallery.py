"""A rich, realistic sample for pictures: customers, people, two weeks of tickets in every state."""

from dataclasses import dataclass
from typing import Any

from tests.e2e.api import Api
from tests.sandbox.client import rule
from tests.stack import PASSWORD, Stack

ORGANISATIONS = {
    "alder": ("Alder & Finch", "alderfinch.example"),
    "brightwater": ("Brightwater", "brightwater.example"),
    "kestrel": ("Kestrel Logistics", "kestrel.example"),
    "marrow": ("Marrow Street Clinic", "marrowstreet.example"),
}
PEOPLE = (
    ("ann.baker@contoso.example", "Ann Baker"), ("joerg.mueller@contoso.example", "Jörg Müller"),
    ("zoe.angstrom@fabrikam.example", "Zoë Ångström"), ("omar.haddad@fabrikam.example", "Omar Haddad"),
    ("ines.costa@alderfinch.example", "Inês Costa"), ("paul.dreyer@alderfinch.example", "Paul Dreyer"),
    ("mina.park@brightwater.example", "Mina Park"), ("tom.ellery@brightwater.example", "Tom Ellery"),
    ("sofia.lindgren@kestrel.example", "Sofia Lindgren"), ("raj.patel@kestrel.example", "Raj Patel"),
    ("claire.dubois@marrowstreet.example", "Claire Dubois"), ("henk.visser@marrowstreet.example", "Henk Visser"),
)  # fmt: skip
TECHNICIANS = (
    ("anna@hub.example", "Anna Lindqvist", "lead"),
    ("ben@hub.example", "Ben Carter", "technician"),
    ("cem@hub.example", "Cem Yıldız", "technician"),
)
# Title, board, priority, what was done (steps of the workflow), minutes ago.
TICKETS: tuple[tuple[str, str, str, str, int], ...] = (
    ("Cannot open the shared calendar of the board", "helpdesk", "normal", "", 3),
    ("Laptop does not wake up after the lid was closed", "helpdesk", "normal", "", 9),
    ("VPN drops every time the video call starts", "network", "high", "", 14),
    ("New starter on Monday: account, mailbox, laptop", "helpdesk", "normal", "", 26),
    ("Reception: both card readers are offline", "network", "urgent", "start", 31),
    ("Mail to suppliers comes back with 5.7.1", "helpdesk", "high", "start", 47),
    ("Printer on the second floor prints blank pages", "office", "low", "", 55),
    ("Teams says “we ran into a problem” since the update", "helpdesk", "normal", "start", 68),
    ("Phone lost on the train, please lock it", "helpdesk", "urgent", "start", 84),
    ("Access to the finance share for Inês", "helpdesk", "normal", "start wait", 97),
    ("Wi-Fi in the warehouse is slow after 4 pm", "network", "normal", "start", 118),
    ("Meeting room 3: camera shows only black", "office", "normal", "", 134),
    ("Password reset link opens an empty page", "helpdesk", "high", "start", 151),
    ("Shared mailbox info@ gets no mail since noon", "helpdesk", "high", "start", 173),
    ("Excel opens very slowly from SharePoint", "helpdesk", "low", "start wait", 204),
    ("Move extension 214 to the new desk", "office", "low", "", 233),
    ("Backup report shows three failed jobs", "network", "high", "start", 260),
    ("Second screen flickers after docking", "office", "normal", "hold", 287),
    ("Guest Wi-Fi password for the training on Thursday", "network", "normal", "", 322),
    ("Out-of-office cannot be switched off", "helpdesk", "normal", "start", 361),
    ("Suspicious invoice mail, was it opened by others?", "helpdesk", "urgent", "start", 402),
    ("Distribution list “Sales EU” has the wrong people", "helpdesk", "low", "start wait", 455),
    ("Scanner does not find the network folder", "office", "normal", "start", 508),
    ("Certificate warning on the intranet", "network", "high", "start", 590),
    ("OneDrive wants to sign in again and again", "helpdesk", "normal", "", 640),
    ("Request: second monitor for home office", "office", "low", "hold", 720),
    ("Multi-factor prompts twice for every sign-in", "helpdesk", "normal", "start", 830),
    ("Label printer prints half a label", "office", "normal", "start resolve", 900),
    ("Time on the till is two minutes off", "network", "low", "start resolve", 1010),
    ("Mailbox is almost full", "helpdesk", "low", "resolve", 1130),
    ("Cannot join the customer's Teams meeting", "helpdesk", "high", "start resolve", 1290),
    ("Door badge of the cleaning team expired", "office", "normal", "start resolve", 1400),
    ("Remote desktop closes after a minute", "network", "high", "start", 1475),
    ("Signature shows the old logo", "helpdesk", "low", "start wait", 1620),
    ("Archive of a colleague who left", "helpdesk", "normal", "hold", 1810),
    ("Headset is not heard in calls", "office", "normal", "resolve", 2050),
    ("Folder deleted by accident, please restore", "helpdesk", "high", "start resolve", 2300),
    ("Switch in rack B is loud", "network", "low", "start", 2600),
    ("Please add the holiday calendar for Portugal", "helpdesk", "low", "resolve", 2900),
    ("Browser asks for a certificate on every page", "helpdesk", "normal", "start resolve close", 3300),
    ("Fibre at the branch office is down", "network", "urgent", "start resolve close", 3900),
    ("Licence for the drawing program has run out", "office", "high", "start resolve", 4300),
    ("Forwarding to a private address: is that allowed?", "helpdesk", "normal", "start resolve close", 4800),
    ("Keyboard layout jumps to English", "helpdesk", "low", "resolve", 5300),
    ("Video wall in the lobby shows an error", "office", "normal", "start resolve", 6100),
    ("Payroll export cannot be opened on the new PC", "helpdesk", "high", "start resolve close", 6900),
    ("DNS name of the old server still in use", "network", "low", "start", 7600),
    ("Tablet for the ward round: enrol and configure", "helpdesk", "normal", "start resolve", 8300),
    ("Phone conference number changed", "office", "low", "resolve", 9100),
    ("Quarantine: release a mail from the tax office", "helpdesk", "normal", "start resolve close", 9900),
    ("Printer driver needs an administrator", "office", "normal", "start resolve", 10900),
    ("Mobile app shows yesterday's appointments", "helpdesk", "normal", "start resolve", 12000),
    ("Firewall rule for the new supplier portal", "network", "normal", "start resolve close", 13200),
    ("Old laptops: who wipes them?", "office", "low", "hold", 14800),
    ("Shared notebook has two copies", "helpdesk", "low", "start resolve", 16500),
    ("Uninterruptible power supply beeps", "network", "high", "start resolve close", 18200),
)
OLDEST_SPECIAL = 21  # minutes; the tickets with pages of their own are younger than all others
STORY_TITLE = "Outlook loses the connection whenever the VPN comes up"
STORY = (
    ("public", "Thank you, Sofia. Does it also happen without the dock, on the laptop's own Wi-Fi?"),
    ("internal", "Same pattern as the split-tunnel case at Brightwater last month: the new profile sends "
                 "outlook.office365.com through the tunnel. Asked the network people for the route table."),
    ("public", "We found it: the new VPN profile sent Outlook's traffic the long way round. You get the corrected "
               "profile within the hour; please restart the laptop once after that."),
)  # fmt: skip
STORY_BODY = (
    "Since Tuesday Outlook says “Trying to connect …” as soon as the VPN is up. Without the VPN it works at once. "
    "Two colleagues in the same room have it too. I have restarted twice.\n\nSofia Lindgren, dispatch, ext. 218"
)

_MAKE = """
from accounts.models import Organisation, RoleGrant, TenantConnection, User, VerifiedDomain
from directory.models import Person
for number, (slug, (name, domain)) in enumerate({organisations!r}.items(), 3):
    organisation = Organisation.objects.create(slug=slug, name=name)
    tenant = TenantConnection.objects.create(
        organisation=organisation, tenant_id="6f1f8e9a-4b5c-4d6e-8f70-%012d" % number)
    VerifiedDomain.objects.create(tenant=tenant, name=domain)
homes = {{one.name: one.tenant.organisation for one in VerifiedDomain.objects.select_related("tenant__organisation")}}
for email, name in {people!r}:
    Person.objects.get_or_create(
        email=email, defaults={{"name": name, "organisation": homes[email.partition("@")[2]]}})
for email, name, role in {technicians!r}:
    user, _made = User.objects.get_or_create(email=email, defaults={{"name": name}})
    user.set_password({password!r})
    user.save()
    RoleGrant.objects.get_or_create(user=user, role=role, organisation=None)
"""
# Rows are made now and moved back in time, because nothing in the API may do that. What happened to a ticket within
# seconds is stretched over nine tenths of its age, in the same order.
_STRETCH = """
WITH span AS (
    SELECT min(created_at) AS first, greatest(max(created_at), min(created_at) + interval '1 ms') AS last
    FROM tickets_timelineentry WHERE ticket_id = %(id)s
)
UPDATE {table} SET created_at = now() - %(by)s::interval * (1 - 0.9 * greatest(0, least(1,
    extract(epoch FROM created_at - span.first) / extract(epoch FROM span.last - span.first))))
FROM span WHERE ticket_id = %(id)s
"""
_MOVE_BACK = (
    """UPDATE tickets_submission SET updated_at = now() - %(by)s::interval * 0.98,
    done_at = CASE WHEN done_at IS NULL THEN NULL ELSE now() - %(by)s::interval * 0.98 END WHERE ticket_id = %(id)s""",
    _STRETCH.format(table="tickets_message"),
    _STRETCH.format(table="tickets_timelineentry"),
    "UPDATE tickets_ticket SET created_at = now() - %(by)s::interval WHERE id = %(id)s",
)


@dataclass(frozen=True)
class Sample:
    """Keys of the tickets that have a page of their own among the pictures."""

    story: str
    waiting: str
    parked: tuple[str, ...]


def fill(stack: Stack) -> Sample:
    """Fill an empty hub; returns when Jira has everything that it shall have."""
    stack.shell(_MAKE.format(organisations=ORGANISATIONS, people=PEOPLE, technicians=TECHNICIANS, password=PASSWORD))
    workers = [Api(stack, email, PASSWORD) for email, _name, _role in TECHNICIANS]
    everybody = [email for email, _name in PEOPLE]
    ages: dict[str, int] = {}
    for number, (title, board, priority, steps, minutes) in reversed(list(enumerate(TICKETS))):
        who = workers[number % len(workers)]
        made = who.open(
            title, body=f"{title}. It began this week; a colleague sees the same. Could you have a look, please?",
            board=board, priority=priority, requester=everybody[number * 5 % len(everybody)],
        )  # fmt: skip
        if steps:
            who.edit(made["key"], assignee=TECHNICIANS[number % len(workers)][0])
        for step in steps.split():
            who.step(made["key"], step)
        ages[made["key"]] = minutes + OLDEST_SPECIAL
    sent = [ticket["key"] for ticket in workers[0].tickets() if ticket["board"] != "office"]
    stack.wait_for(lambda: all(workers[0].submission(key)["state"] == "done" for key in sent), 180)
    for key, minutes in ages.items():
        _move_back(stack, key, minutes)
    parked = _parked(stack, workers[0])
    story = _story(stack, workers)
    waiting = _waiting(stack, workers[0])
    return Sample(story, waiting, parked)


def _story(stack: Stack, workers: list[Api]) -> str:
    _lead, ben, cem = workers
    key = str(
        ben.open(STORY_TITLE, body=STORY_BODY, board="network", priority="high", labels=["vpn", "outlook"],
                 requester="sofia.lindgren@kestrel.example", watchers=["raj.patel@kestrel.example"])["key"]
    )  # fmt: skip
    stack.wait_for(lambda: ben.submission(key)["state"] == "done")
    ben.edit(key, assignee="ben@hub.example")
    ben.step(key, "start")
    for (kind, words), who in zip(STORY, (ben, cem, ben), strict=True):
        who.say(key, words, kind)
    _move_back(stack, key, 12)
    return key


def _parked(stack: Stack, api: Api) -> tuple[str, ...]:
    stack.control.faults(rule("no_permission", permission="CREATE_ISSUES", project="NET"))
    keys = [
        str(api.open(title, body=body, board="network", requester=who)["key"])
        for title, body, who in (
            (
                "Static address for the new franking machine",
                "The supplier needs it before Friday, please.",
                "henk.visser@marrowstreet.example",
            ),
            (
                "Second line for the clinic's night desk",
                "From the first of next month, extension 301.",
                "claire.dubois@marrowstreet.example",
            ),
        )
    ]
    stack.wait_for(lambda: all(api.submission(key)["state"] == "parked" for key in keys))
    stack.control.clear_faults()
    for number, key in enumerate(keys):
        _move_back(stack, key, OLDEST_SPECIAL - 4 * number)
    return tuple(keys)


def _waiting(stack: Stack, api: Api) -> str:
    stack.control.faults(rule("429", method="POST", path="/issue$", retry_after=900))
    key = str(
        api.open("Till 4 prints no receipts", priority="urgent", requester="mina.park@brightwater.example")["key"]
    )
    stack.wait_for(lambda: bool(api.submission(key)["tries"]) and api.submission(key)["state"] == "pending")
    return key


def _move_back(stack: Stack, key: str, minutes: int) -> None:
    values: dict[str, Any] = {"by": f"{minutes} minutes", "id": int(key.rpartition("-")[2])}
    with stack.connect() as database:
        for statement in _MOVE_BACK:
            database.execute(statement, values)

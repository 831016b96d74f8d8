"""/healthz, /readyz, /metrics: for load balancers and operators.

Ready means: the database answers and is migrated. A dead Redis or a long backlog is `degraded`, still 200: an outage
elsewhere must not take intake away.
"""

import hmac
import ipaddress

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from prometheus_client import CONTENT_TYPE_LATEST
from redis.exceptions import RedisError

from supporthub.core.middleware import client_address
from supporthub.runtime.figures import exposition, oldest_due_seconds

_migrated = False
BACKLOG_IS_LONG = 300.0  # seconds that the oldest due delivery has waited


def healthz(_request: HttpRequest) -> HttpResponse:
    """Alive: the process answers. Looks at nothing else."""
    return JsonResponse({"status": "alive"})


def readyz(request: HttpRequest) -> HttpResponse:
    """Ready or not, with what is degraded; details only for configured networks or the token."""
    problems = _database_problems()
    if problems:
        body = {"status": "unavailable", **({"problems": problems} if _may_see_details(request) else {})}
        return JsonResponse(body, status=503)
    degraded = _degradations()
    body = {"status": "degraded" if degraded else "ready"}
    if degraded and _may_see_details(request):
        body["degraded"] = degraded
    return JsonResponse(body)


def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus figures, for configured networks or the token."""
    if not _may_see_details(request):
        return HttpResponse(
            "Figures are shown to METRICS_NETWORKS or with METRICS_TOKEN only.\n", status=403, content_type="text/plain"
        )
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)


def _may_see_details(request: HttpRequest) -> bool:
    token = str(settings.METRICS_TOKEN)
    offered = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if token and hmac.compare_digest(token.encode(), offered.encode()):
        return True
    try:
        address = ipaddress.ip_address(client_address(request))
    except ValueError:
        return False
    return any(address in network for network in settings.METRICS_NETWORKS)


def _database_problems() -> list[str]:
    global _migrated  # noqa: PLW0603  (once true it stays true for this process's code)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        if not _migrated:
            executor = MigrationExecutor(connection)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                return ["The database is not migrated: run `manage.py migrate`."]
            _migrated = True
    except DatabaseError:
        return ["The database does not answer."]
    return []


def _degradations() -> list[str]:
    found = []
    try:
        cache.get("readyz")
    except (RedisError, OSError):
        found.append("Redis does not answer: deliveries and live updates wait for it.")
    waited = oldest_due_seconds()
    if waited > BACKLOG_IS_LONG:
        found.append(f"The oldest due delivery has waited {waited:.0f} s.")
    return found

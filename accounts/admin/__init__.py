"""The admin of accounts. Importing a module registers what it holds."""

from django.contrib import admin
from django.contrib.auth.models import Group

from accounts.admin import audit, clients, holds, lockouts, organisations, schedules, sign_ins, users

__all__ = ["audit", "clients", "holds", "lockouts", "organisations", "schedules", "sign_ins", "users"]

admin.site.unregister(Group)  # roles replace Django's groups and permissions

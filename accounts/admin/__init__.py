"""The admin of accounts. Importing a module registers what it holds."""

from django.contrib import admin
from django.contrib.auth.models import Group

from accounts.admin import holds, lockouts, organisations, schedules, users

__all__ = ["holds", "lockouts", "organisations", "schedules", "users"]

admin.site.unregister(Group)  # roles replace Django's groups and permissions

"""Makes `django.contrib.admin` use the hub's own site."""

from django.contrib.admin.apps import AdminConfig


class HubAdminConfig(AdminConfig):
    default_site = "supporthub.core.admin.HubAdminSite"

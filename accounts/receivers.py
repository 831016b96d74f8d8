"""Registrations of accounts with the kernel."""

from accounts.selectors import active_holds
from supporthub.core.deliveries import holds

holds.register_source(active_holds)

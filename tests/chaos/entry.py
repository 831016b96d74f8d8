"""The worker's application in a campaign: the product's own, with the steps at which it can be told to die."""

import django

from supporthub.celery import app

django.setup()

from tests.chaos import boundaries  # noqa: E402  (needs the applications)

orders = boundaries.orders_of_campaign()
boundaries.install_client(orders)
boundaries.install_engine(orders)

__all__ = ["app"]

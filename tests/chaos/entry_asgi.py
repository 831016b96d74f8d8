"""The web application in a campaign: the product's own, with the steps at which it can be told to die."""

from supporthub.asgi import application
from tests.chaos import boundaries

boundaries.install_web(boundaries.orders_of_campaign())

__all__ = ["application"]

"""Rows of accounts for tests."""

from typing import Any

import factory
from factory.django import DjangoModelFactory

from accounts.choices import Role
from accounts.models import Organisation, RoleGrant, User

PASSWORD = "correct horse battery staple"


class OrganisationFactory(DjangoModelFactory[Organisation]):
    class Meta:
        model = Organisation

    name = factory.Sequence(lambda n: f"Organisation {n}")
    slug = factory.Sequence(lambda n: f"organisation-{n}")


class UserFactory(DjangoModelFactory[User]):
    """A user with a password and, by default, no role."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"user{n}@hub.example")
    name = factory.Sequence(lambda n: f"User {n}")

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        fields: dict[str, Any] = {"password": PASSWORD, **kwargs}
        return User.objects.create_user(*args, **fields)


class RoleGrantFactory(DjangoModelFactory[RoleGrant]):
    """A role everywhere, unless an organisation is given."""

    class Meta:
        model = RoleGrant

    user = factory.SubFactory(UserFactory)
    role = Role.TECHNICIAN
    organisation = None


def technician(**kwargs: object) -> User:
    """A technician for every organisation."""
    user: User = UserFactory.create(**kwargs)
    RoleGrantFactory.create(user=user, role=Role.TECHNICIAN)
    return user


def lead(**kwargs: object) -> User:
    user: User = UserFactory.create(**kwargs)
    RoleGrantFactory.create(user=user, role=Role.LEAD)
    return user


def admin(**kwargs: object) -> User:
    user: User = UserFactory.create(**kwargs)
    RoleGrantFactory.create(user=user, role=Role.ADMIN)
    return user

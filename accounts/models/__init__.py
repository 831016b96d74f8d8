from accounts.models.control import Hold, IdempotentRequest
from accounts.models.organisations import Organisation, TenantConnection, VerifiedDomain
from accounts.models.users import RoleGrant, User, UserManager

__all__ = [
    "Hold",
    "IdempotentRequest",
    "Organisation",
    "RoleGrant",
    "TenantConnection",
    "User",
    "UserManager",
    "VerifiedDomain",
]

from accounts.models.audit import AuditAnchor, AuditEntry, AuditText
from accounts.models.clients import ApiClient, ApiKey
from accounts.models.control import Hold, IdempotentRequest
from accounts.models.entra import TokenUse
from accounts.models.organisations import Organisation, TenantConnection, VerifiedDomain
from accounts.models.sign_ins import EntraIdentity, EntraRoleRule, RecoveryCode, SignIn, SignInFlow, TotpDevice
from accounts.models.users import RoleGrant, User, UserManager

__all__ = [
    "ApiClient",
    "ApiKey",
    "AuditAnchor",
    "AuditEntry",
    "AuditText",
    "EntraIdentity",
    "EntraRoleRule",
    "Hold",
    "IdempotentRequest",
    "Organisation",
    "RecoveryCode",
    "RoleGrant",
    "SignIn",
    "SignInFlow",
    "TenantConnection",
    "TokenUse",
    "TotpDevice",
    "User",
    "UserManager",
    "VerifiedDomain",
]

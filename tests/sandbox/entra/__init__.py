"""Entra ID: discovery, keys, authorisation, tokens and sign-out, below ``/entra/<tenant>``."""

"""Entra ID: where its keys are, whether a token is one of its own, and what the token says."""

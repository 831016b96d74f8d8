"""Fault campaigns: the real hub and the sandbox, killed and disturbed while tickets come in; then a verdict."""

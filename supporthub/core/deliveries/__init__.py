"""Durable deliveries: a row first, then the world. docs/architecture.md tells the whole story."""

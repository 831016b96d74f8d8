"""Live updates: one socket a browser, one subscription a process, versioned rows as the truth.

`publish` and `control` send, `topics` registers what can be watched, `socket` is the ASGI application. The rules of the
wire are in `wire` and docs/adr/0004-live-updates.md.
"""

"""The tray client's two calls, as the ticket server that the hub replaces had them: POST /api/tickets and
GET /api/checkstatus, with their own answers and plain-text errors. docs/adr/0010-tray-calls.md."""

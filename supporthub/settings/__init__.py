"""Settings by environment: local (make run), production, test."""

"""Jira's tables. ``index_*`` is what search sees; it follows ``issue`` with the lag that was switched on."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS project (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, name TEXT NOT NULL, type_key TEXT NOT NULL,
    workflow TEXT NOT NULL, lead TEXT NOT NULL, next_number INTEGER NOT NULL DEFAULT 1
);
CREATE TABLE IF NOT EXISTS account (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, hidden INTEGER NOT NULL, type TEXT NOT NULL,
    active INTEGER NOT NULL, timezone TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS issue (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL, number INTEGER NOT NULL,
    key TEXT NOT NULL UNIQUE,
    type_id TEXT NOT NULL, status_id TEXT NOT NULL, priority_id TEXT NOT NULL, resolution TEXT, resolved INTEGER,
    assignee TEXT, reporter TEXT, creator TEXT NOT NULL, parent_id INTEGER, summary TEXT NOT NULL, description TEXT,
    labels TEXT NOT NULL, extra TEXT NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS issue_alias (key TEXT PRIMARY KEY, issue_id INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS issue_label (
    label TEXT NOT NULL, issue_id INTEGER NOT NULL, PRIMARY KEY (label, issue_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS issue_property (
    issue_id INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (issue_id, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS watcher (
    issue_id INTEGER NOT NULL, account_id TEXT NOT NULL, PRIMARY KEY (issue_id, account_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS comment (
    id INTEGER PRIMARY KEY AUTOINCREMENT, issue_id INTEGER NOT NULL, author TEXT NOT NULL, editor TEXT NOT NULL,
    body TEXT NOT NULL, visibility TEXT, internal INTEGER NOT NULL, properties TEXT NOT NULL, created INTEGER NOT NULL,
    updated INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS comment_issue ON comment (issue_id);
CREATE TABLE IF NOT EXISTS worklog (
    id INTEGER PRIMARY KEY AUTOINCREMENT, issue_id INTEGER NOT NULL, author TEXT NOT NULL, comment TEXT,
    started TEXT NOT NULL, seconds INTEGER NOT NULL, properties TEXT NOT NULL, created INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS worklog_issue ON worklog (issue_id);
CREATE TABLE IF NOT EXISTS attachment (
    id INTEGER PRIMARY KEY AUTOINCREMENT, issue_id INTEGER NOT NULL, filename TEXT NOT NULL, mime TEXT NOT NULL,
    size INTEGER NOT NULL, author TEXT NOT NULL, media TEXT NOT NULL, created INTEGER NOT NULL, content BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS attachment_issue ON attachment (issue_id);
CREATE UNIQUE INDEX IF NOT EXISTS attachment_media ON attachment (media);
CREATE TABLE IF NOT EXISTS issue_link (
    id INTEGER PRIMARY KEY AUTOINCREMENT, type_id TEXT NOT NULL, inward_id INTEGER NOT NULL,
    outward_id INTEGER NOT NULL,
    UNIQUE (type_id, inward_id, outward_id)
);
CREATE TABLE IF NOT EXISTS remote_link (
    id INTEGER PRIMARY KEY AUTOINCREMENT, issue_id INTEGER NOT NULL, global_id TEXT, body TEXT NOT NULL,
    UNIQUE (issue_id, global_id)
);
CREATE TABLE IF NOT EXISTS index_queue (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, issue_id INTEGER NOT NULL, at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS index_issue (
    id INTEGER PRIMARY KEY, project_id INTEGER NOT NULL, number INTEGER NOT NULL, key TEXT NOT NULL,
    type_id TEXT NOT NULL,
    status_id TEXT NOT NULL, category TEXT NOT NULL, priority_id TEXT NOT NULL, assignee TEXT, reporter TEXT,
    resolution TEXT, created INTEGER NOT NULL, updated INTEGER NOT NULL, summary TEXT NOT NULL, words TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS index_issue_key ON index_issue (key);
CREATE INDEX IF NOT EXISTS index_issue_updated ON index_issue (updated);
CREATE TABLE IF NOT EXISTS index_label (
    label TEXT NOT NULL, issue_id INTEGER NOT NULL, PRIMARY KEY (label, issue_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS index_label_issue ON index_label (issue_id);
"""

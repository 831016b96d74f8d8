-- Two roles for the hub's database, so that the audit trail is append-only for the hub itself.
--
-- `hub_owner` owns the tables and runs migrations (DATABASE_URL of the migrate step). `hub` is what web, worker and beat
-- connect as. Run this as a superuser once, and the part below "After each migrate" after each release.
--   psql -v ON_ERROR_STOP=1 -d hub -f docs/sql/audit_role.sql

-- Once:
--   CREATE ROLE hub_owner LOGIN PASSWORD '...';
--   CREATE ROLE hub LOGIN PASSWORD '...';
--   CREATE DATABASE hub OWNER hub_owner;

-- After each migrate:
GRANT USAGE ON SCHEMA public TO hub;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO hub;
GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO hub;

-- The trail: read, add, seal once. Nothing else, and no TRUNCATE or TRIGGER anywhere.
REVOKE ALL ON accounts_auditentry, accounts_audittext, accounts_auditanchor FROM hub;
GRANT SELECT ON accounts_auditentry, accounts_audittext, accounts_auditanchor TO hub;
GRANT INSERT (at, actor_kind, actor_id, action, target_type, target_id, organisation_id, request_id, data, digests)
    ON accounts_auditentry TO hub;
GRANT UPDATE (seal, mac, key_id, form) ON accounts_auditentry TO hub;
GRANT INSERT ON accounts_audittext, accounts_auditanchor TO hub;
GRANT UPDATE (stored_at) ON accounts_auditanchor TO hub;
GRANT DELETE ON accounts_audittext TO hub;  -- erasure

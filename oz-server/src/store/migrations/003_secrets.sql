-- Secrets, the keys of the vault, and who used what when.

-- Key pairs of the vault: their private halves are encrypted under the master key, which never comes here.
CREATE TABLE vault_keys (
  key_id TEXT PRIMARY KEY,
  purpose TEXT NOT NULL,
  public_key TEXT NOT NULL,
  wrapped_key TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX vault_keys_purpose ON vault_keys (purpose, created_at);

-- Values lie here as their makers sealed them.
CREATE TABLE secrets (
  secret_uid TEXT PRIMARY KEY,
  team_id TEXT NOT NULL REFERENCES teams (team_id),
  personal BIGINT NOT NULL,
  -- The team, or the person that a personal one belongs to; the sealing is bound to it.
  owner_id TEXT NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  description TEXT,
  key_id TEXT NOT NULL REFERENCES vault_keys (key_id),
  sealed_value TEXT NOT NULL,
  created_by TEXT NOT NULL REFERENCES users (user_id),
  updated_by TEXT NOT NULL REFERENCES users (user_id),
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  last_used_at BIGINT,
  UNIQUE (team_id, owner_id, name)
);

-- What was done with secrets. Names stay readable after their secrets are gone.
CREATE TABLE secret_log (
  entry_no INTEGER PRIMARY KEY AUTOINCREMENT,
  occurred_at BIGINT NOT NULL,
  action TEXT NOT NULL,
  name TEXT NOT NULL,
  -- Who may read the entry: the team, or one person.
  team_id TEXT NOT NULL,
  personal BIGINT NOT NULL,
  owner_id TEXT NOT NULL,
  -- Null where there was no such secret.
  secret_uid TEXT,
  actor_id TEXT NOT NULL,
  run_no BIGINT,
  execution_id TEXT,
  -- An execution that asks again is not written down again.
  UNIQUE (execution_id, action, owner_id, name)
);
CREATE INDEX secret_log_team ON secret_log (team_id, entry_no);

-- What became of the secrets of a run when it started.
ALTER TABLE run_inputs ADD COLUMN secrets TEXT;

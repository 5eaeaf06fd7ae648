-- Identities, keys of agents, invitations, schedules, messages, memory, files, and what several servers must share.
-- Lines with /*sqlite*/ are for databases that existed before; PostgreSQL never sees them.

ALTER TABLE users ADD COLUMN removed_at BIGINT;
ALTER TABLE api_keys ADD COLUMN created_by TEXT;
-- What came of it, in words.
ALTER TABLE executions ADD COLUMN outcome TEXT;

CREATE TABLE agents (
  agent_uid TEXT PRIMARY KEY REFERENCES users (user_id),
  team_id TEXT NOT NULL REFERENCES teams (team_id),
  name TEXT NOT NULL,
  profile TEXT NOT NULL,
  on_behalf_of BIGINT NOT NULL DEFAULT 0,
  store_uid TEXT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE (team_id, name)
);

CREATE TABLE invitations (
  invitation_uid TEXT PRIMARY KEY,
  code_hash TEXT NOT NULL UNIQUE,
  team_id TEXT NOT NULL REFERENCES teams (team_id),
  email TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('admin', 'member')),
  created_by TEXT NOT NULL REFERENCES users (user_id),
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);

ALTER TABLE runs ADD COLUMN schedule TEXT;
ALTER TABLE runs ADD COLUMN mode TEXT;
ALTER TABLE runs ADD COLUMN depth BIGINT NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN root_run_no BIGINT;
-- Whether it goes on with a conversation of earlier runs.
ALTER TABLE runs ADD COLUMN continued BIGINT NOT NULL DEFAULT 0;
-- Its follow-ups: all, and those that no execution has got yet.
ALTER TABLE runs ADD COLUMN followups BIGINT NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN followups_waiting BIGINT NOT NULL DEFAULT 0;
CREATE INDEX runs_title ON runs (team_id, title, run_no);
CREATE INDEX runs_skill ON runs (team_id, skill_spec, run_no) WHERE skill_spec IS NOT NULL;
CREATE INDEX runs_no_skill ON runs (team_id, run_no) WHERE skill_spec IS NULL;
CREATE INDEX runs_environment ON runs (environment_id, run_no) WHERE environment_id IS NOT NULL;

-- The labels of a run, for filters.
CREATE TABLE run_labels (
  run_no BIGINT NOT NULL REFERENCES runs (run_no),
  name TEXT NOT NULL,
  content TEXT NOT NULL,
  PRIMARY KEY (run_no, name)
);
/*sqlite*/ INSERT INTO run_labels SELECT i.run_no, j.key, j.value FROM run_inputs i, json_each(i.metadata) j;

CREATE TABLE followups (
  followup_id TEXT PRIMARY KEY,
  run_no BIGINT NOT NULL REFERENCES runs (run_no),
  message TEXT NOT NULL,
  mode TEXT,
  created_by TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  -- The execution that got it.
  execution_id TEXT
);
CREATE INDEX followups_run ON followups (run_no, created_at);

-- Forked and renamed conversations; all others are known by their runs.
CREATE TABLE conversations (
  conversation_id TEXT PRIMARY KEY,
  team_id TEXT NOT NULL REFERENCES teams (team_id),
  owner_id TEXT NOT NULL,
  personal BIGINT NOT NULL,
  title TEXT,
  forked_from TEXT,
  forked_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE schedules (
  schedule_id TEXT PRIMARY KEY,
  team_id TEXT NOT NULL REFERENCES teams (team_id),
  personal BIGINT NOT NULL,
  owner_id TEXT NOT NULL REFERENCES users (user_id),
  name TEXT NOT NULL,
  cron TEXT NOT NULL,
  enabled BIGINT NOT NULL,
  prompt TEXT NOT NULL,
  config TEXT,
  agent_uid TEXT,
  mode TEXT,
  metadata TEXT NOT NULL,
  next_run BIGINT,
  last_ran BIGINT,
  last_spawn_error TEXT,
  updated_by TEXT NOT NULL REFERENCES users (user_id),
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX schedules_team ON schedules (team_id, name);
CREATE INDEX schedules_due ON schedules (next_run) WHERE next_run IS NOT NULL;

-- Environments, MCP servers and profiles: a name and a JSON body.
CREATE TABLE objects (
  object_uid TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  team_id TEXT NOT NULL REFERENCES teams (team_id),
  personal BIGINT NOT NULL,
  owner_id TEXT NOT NULL REFERENCES users (user_id),
  name TEXT NOT NULL,
  body TEXT NOT NULL,
  revision BIGINT NOT NULL,
  updated_by TEXT NOT NULL REFERENCES users (user_id),
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX objects_team ON objects (team_id, kind, name);

CREATE TABLE messages (
  message_id TEXT PRIMARY KEY,
  run_no BIGINT NOT NULL REFERENCES runs (run_no),
  sender_run_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  body TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  sent_at BIGINT NOT NULL,
  delivered_at BIGINT,
  read_at BIGINT
);
CREATE INDEX messages_inbox ON messages (run_no, sequence);

CREATE TABLE memory_stores (
  store_uid TEXT PRIMARY KEY,
  team_id TEXT NOT NULL REFERENCES teams (team_id),
  owner_type TEXT NOT NULL,
  owner_uid TEXT NOT NULL,
  description TEXT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX memory_stores_team ON memory_stores (team_id, created_at);

CREATE TABLE memories (
  memory_uid TEXT PRIMARY KEY,
  store_uid TEXT NOT NULL REFERENCES memory_stores (store_uid),
  content TEXT NOT NULL,
  version BIGINT NOT NULL,
  version_id TEXT NOT NULL,
  source TEXT NOT NULL,
  source_id TEXT,
  source_run_id TEXT,
  tombstoned_at BIGINT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX memories_store ON memories (store_uid, created_at);

CREATE TABLE memory_versions (
  version_id TEXT PRIMARY KEY,
  memory_uid TEXT NOT NULL REFERENCES memories (memory_uid),
  version BIGINT NOT NULL,
  content TEXT NOT NULL,
  reason TEXT,
  created_at BIGINT NOT NULL,
  UNIQUE (memory_uid, version)
);

-- Files in blob storage: attachments, snapshots, transcripts of foreign harnesses, artifacts. Listed before their bytes
-- arrive; size_bytes is null until then.
CREATE TABLE files (
  file_id TEXT PRIMARY KEY,
  purpose TEXT NOT NULL,
  team_id TEXT NOT NULL REFERENCES teams (team_id),
  run_no BIGINT REFERENCES runs (run_no),
  conversation_id TEXT,
  execution_id TEXT,
  token TEXT,
  generation TEXT,
  filename TEXT NOT NULL,
  mime_type TEXT NOT NULL,
  size_bytes BIGINT,
  created_at BIGINT NOT NULL
);
CREATE INDEX files_run ON files (run_no, purpose) WHERE run_no IS NOT NULL;
CREATE INDEX files_conversation ON files (conversation_id, purpose) WHERE conversation_id IS NOT NULL;
CREATE INDEX files_token ON files (token) WHERE token IS NOT NULL;
ALTER TABLE artifacts ADD COLUMN content TEXT;
ALTER TABLE artifacts ADD COLUMN file_id TEXT;

CREATE TABLE skills (
  team_id TEXT NOT NULL REFERENCES teams (team_id),
  repo TEXT NOT NULL,
  path TEXT NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  base_prompt TEXT NOT NULL,
  error TEXT,
  worker_host TEXT,
  PRIMARY KEY (team_id, repo, path)
);

CREATE TABLE client_events (
  event_uuid TEXT PRIMARY KEY,
  run_no BIGINT NOT NULL REFERENCES runs (run_no),
  event_name TEXT NOT NULL,
  occurred_at BIGINT NOT NULL,
  payload TEXT
);
CREATE INDEX client_events_run ON client_events (run_no, occurred_at);

-- Answers to calls that named themselves, for when they are repeated.
CREATE TABLE idempotency (
  owner TEXT NOT NULL,
  key TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  status BIGINT,
  body TEXT,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (owner, key)
);
CREATE INDEX idempotency_age ON idempotency (created_at);

-- By when each execution must show a sign of life, where several servers share the database.
CREATE TABLE leases (
  execution_id TEXT PRIMARY KEY,
  run_no BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);

-- The servers that share the database, with the workers that are connected to each.
CREATE TABLE servers (
  server_id TEXT PRIMARY KEY,
  seen_at BIGINT NOT NULL,
  workers TEXT NOT NULL
);

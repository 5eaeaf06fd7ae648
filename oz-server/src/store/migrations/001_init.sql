-- Times are microseconds since 1970. Ids are text; run_no and sequence are the compact keys of hot tables.

CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE teams (
  team_id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE users (
  user_id TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('user', 'service_account')),
  display_name TEXT NOT NULL,
  email TEXT,
  created_at BIGINT NOT NULL
);

CREATE TABLE memberships (
  team_id TEXT NOT NULL REFERENCES teams (team_id),
  user_id TEXT NOT NULL REFERENCES users (user_id),
  role TEXT NOT NULL CHECK (role IN ('admin', 'member')),
  PRIMARY KEY (team_id, user_id)
);

CREATE TABLE api_keys (
  key_hash TEXT PRIMARY KEY,
  key_uid TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  suffix TEXT NOT NULL,
  user_id TEXT NOT NULL REFERENCES users (user_id),
  team_id TEXT NOT NULL REFERENCES teams (team_id),
  created_at BIGINT NOT NULL,
  expires_at BIGINT,
  last_used_at BIGINT
);

CREATE TABLE runs (
  run_no INTEGER PRIMARY KEY,
  run_id TEXT NOT NULL UNIQUE,
  team_id TEXT NOT NULL REFERENCES teams (team_id),
  personal BIGINT NOT NULL DEFAULT 0,
  creator_id TEXT NOT NULL REFERENCES users (user_id),
  executor_id TEXT NOT NULL REFERENCES users (user_id),
  title TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN
    ('QUEUED', 'PENDING', 'CLAIMED', 'INPROGRESS', 'BLOCKED', 'SUCCEEDED', 'FAILED', 'ERROR', 'CANCELLED')),
  source TEXT NOT NULL,
  location TEXT NOT NULL,
  -- Empty for a worker of the control plane.
  host TEXT NOT NULL,
  name TEXT,
  model_id TEXT,
  environment_id TEXT,
  skill_spec TEXT,
  schedule_id TEXT,
  automation_id TEXT,
  parent_run_no BIGINT REFERENCES runs (run_no),
  conversation_id TEXT NOT NULL,
  execution_id TEXT,
  attempts BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  queued_at BIGINT NOT NULL,
  started_at BIGINT,
  resumed_at BIGINT,
  worked_micros BIGINT NOT NULL DEFAULT 0,
  ended_at BIGINT,
  status_message TEXT,
  status_code TEXT,
  event_sequence BIGINT,
  CHECK ((ended_at IS NOT NULL) = (state IN ('SUCCEEDED', 'FAILED', 'ERROR', 'CANCELLED'))),
  CHECK (state IN ('QUEUED', 'FAILED', 'ERROR', 'CANCELLED') OR execution_id IS NOT NULL)
);
CREATE INDEX runs_queue ON runs (host, team_id, queued_at) WHERE state = 'QUEUED';
CREATE INDEX runs_live ON runs (state) WHERE state IN ('PENDING', 'CLAIMED', 'INPROGRESS');
CREATE INDEX runs_updated ON runs (team_id, updated_at, run_no);
CREATE INDEX runs_created ON runs (team_id, created_at, run_no);
CREATE INDEX runs_parent ON runs (parent_run_no) WHERE parent_run_no IS NOT NULL;
CREATE INDEX runs_conversation ON runs (conversation_id);

-- What a run was asked; apart from the run's row, which changes often while this never does.
CREATE TABLE run_inputs (
  run_no INTEGER PRIMARY KEY REFERENCES runs (run_no),
  prompt TEXT NOT NULL,
  config TEXT NOT NULL,
  metadata TEXT NOT NULL
);

CREATE TABLE executions (
  execution_id TEXT PRIMARY KEY,
  run_no BIGINT NOT NULL REFERENCES runs (run_no),
  attempt BIGINT NOT NULL,
  token_hash TEXT NOT NULL UNIQUE,
  worker_id TEXT,
  created_at BIGINT NOT NULL,
  ended_at BIGINT,
  exit_code BIGINT,
  last_number BIGINT NOT NULL DEFAULT 0,
  usage TEXT,
  UNIQUE (run_no, attempt)
);

CREATE TABLE artifacts (
  artifact_uid TEXT PRIMARY KEY,
  run_no BIGINT NOT NULL REFERENCES runs (run_no),
  artifact_type TEXT NOT NULL,
  data TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX artifacts_run ON artifacts (run_no);

-- The one log: lifecycle events (payload is null) and transcript entries share its sequence.
CREATE TABLE log (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  run_no BIGINT NOT NULL REFERENCES runs (run_no),
  run_index BIGINT NOT NULL,
  event_type TEXT NOT NULL,
  ref_id TEXT,
  execution_id TEXT,
  occurred_at BIGINT NOT NULL,
  payload TEXT
);
CREATE INDEX log_run ON log (run_no, sequence);
CREATE INDEX log_events ON log (run_no, sequence) WHERE payload IS NULL;

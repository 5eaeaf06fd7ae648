-- What agents need of humans, how follow-ups reach a working agent, and the conversations of harnesses as they keep them.

-- Ids are made by agents, so they name something only within a run. A request is open until closed_at: it was answered,
-- or its run went on without an answer.
CREATE TABLE requests (
  run_no BIGINT NOT NULL REFERENCES runs (run_no),
  request_id TEXT NOT NULL,
  execution_id TEXT NOT NULL,
  request TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  answer TEXT,
  answered_at BIGINT,
  answered_by TEXT REFERENCES users (user_id),
  -- When the answer reached an agent, or became a follow-up.
  delivered_at BIGINT,
  closed_at BIGINT,
  PRIMARY KEY (run_no, request_id)
);

ALTER TABLE followups ADD COLUMN interrupt BIGINT NOT NULL DEFAULT 0;
-- When an execution got it.
ALTER TABLE followups ADD COLUMN received_at BIGINT;

-- Of raw transcripts: the harness's format, and its name for the conversation.
ALTER TABLE files ADD COLUMN format TEXT;
ALTER TABLE files ADD COLUMN session_id TEXT;

-- An agent that waits for a human lives, too.
DROP INDEX runs_live;
CREATE INDEX runs_live ON runs (state) WHERE state IN ('PENDING', 'CLAIMED', 'INPROGRESS', 'BLOCKED');

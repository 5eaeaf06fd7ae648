-- Labels that the worker of a run must have, as JSON with sorted names; empty when it asks for none. Runs that ask for the
-- same wait in one queue.
ALTER TABLE runs ADD COLUMN worker_labels TEXT NOT NULL DEFAULT '';
DROP INDEX runs_queue;
CREATE INDEX runs_queue ON runs (host, team_id, worker_labels, queued_at) WHERE state = 'QUEUED';

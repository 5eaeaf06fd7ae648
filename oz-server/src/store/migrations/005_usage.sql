-- What runs used, and how much they may use. Money is in millionths of a US dollar; days are counted from 1970, in UTC.

ALTER TABLE teams ADD COLUMN monthly_limit BIGINT;
ALTER TABLE teams ADD COLUMN run_limit BIGINT;
-- The most that the run may cost.
ALTER TABLE runs ADD COLUMN cost_limit BIGINT;
-- What the transcript of an execution tells that it used. `usage` is that or the total that was reported, whichever is more.
ALTER TABLE executions ADD COLUMN recorded_usage TEXT;

-- What each run used of each model on each day.
CREATE TABLE run_usage (
  run_no BIGINT NOT NULL REFERENCES runs (run_no),
  day BIGINT NOT NULL,
  model TEXT NOT NULL,
  team_id TEXT NOT NULL REFERENCES teams (team_id),
  calls BIGINT NOT NULL,
  input_tokens BIGINT NOT NULL,
  cache_read_tokens BIGINT NOT NULL,
  cache_write_tokens BIGINT NOT NULL,
  output_tokens BIGINT NOT NULL,
  -- Null when no price is known.
  cost BIGINT,
  PRIMARY KEY (run_no, day, model)
);
CREATE INDEX run_usage_days ON run_usage (team_id, day);

-- What the runs of a team cost in a month, which goes by its first day.
CREATE TABLE spending (
  team_id TEXT NOT NULL REFERENCES teams (team_id),
  month BIGINT NOT NULL,
  cost BIGINT NOT NULL,
  PRIMARY KEY (team_id, month)
);

-- Time zones and policies of schedules, and what became of their times.

ALTER TABLE schedules ADD COLUMN time_zone TEXT NOT NULL DEFAULT 'UTC';
ALTER TABLE schedules ADD COLUMN overlap TEXT NOT NULL DEFAULT 'allow';
ALTER TABLE schedules ADD COLUMN missed TEXT NOT NULL DEFAULT 'run_once';
-- The time whose run waits until another one is over.
ALTER TABLE schedules ADD COLUMN waiting BIGINT;
CREATE INDEX schedules_waiting ON schedules (schedule_id) WHERE waiting IS NOT NULL;

-- Its key refuses a second run for a time, whichever server asks.
CREATE TABLE schedule_ticks (
  schedule_id TEXT NOT NULL REFERENCES schedules (schedule_id),
  scheduled_for BIGINT NOT NULL,
  by_hand BIGINT NOT NULL,
  fired_at BIGINT NOT NULL,
  outcome TEXT NOT NULL,
  run_no BIGINT REFERENCES runs (run_no),
  detail TEXT,
  PRIMARY KEY (schedule_id, scheduled_for, by_hand)
);
CREATE INDEX schedule_ticks_queued ON schedule_ticks (schedule_id) WHERE outcome = 'queued';

-- The runs of a schedule that are under way.
CREATE INDEX runs_of_schedule ON runs (schedule_id)
  WHERE schedule_id IS NOT NULL AND state IN ('QUEUED', 'PENDING', 'CLAIMED', 'INPROGRESS');

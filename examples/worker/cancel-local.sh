#!/bin/sh
# The cancel_command beside dispatch-local.sh: ends everything that belongs to an execution. One that is over is fine.
set -eu
directory="${OZ_LOCAL_RUN_DIR:-${TMPDIR:-/tmp}/oz-local-runs}/$OZ_EXECUTION_ID"
[ -f "$directory/pid" ] || exit 0
group="$(cat "$directory/pid")"
kill -TERM -- "-$group" 2>/dev/null || exit 0
for _ in 1 2 3 4 5 6 7 8 9 10; do
  kill -0 -- "-$group" 2>/dev/null || exit 0
  sleep 0.2
done
kill -KILL -- "-$group" 2>/dev/null || true

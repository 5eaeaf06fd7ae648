#!/bin/sh
# A dispatch_command that has runs done on this machine: it starts `oz` in a session of its own and answers at once.
#
#   backend:
#     command:
#       dispatch_command: /path/to/dispatch-local.sh
#       cancel_command: /path/to/cancel-local.sh
#
# OZ_BIN names the `oz` program, OZ_LOCAL_RUN_DIR the directory of workspaces and logs. Needs python3, to read JSON.
set -eu
directory="${OZ_LOCAL_RUN_DIR:-${TMPDIR:-/tmp}/oz-local-runs}/$OZ_EXECUTION_ID"
umask 077
mkdir -p "$directory/workspace"
# The run comes on standard input, its secrets included; they go on to the agent as its environment and touch no disk.
exec python3 -c '
import json, os, subprocess, sys

run = json.load(sys.stdin)
if run["version"] != 1:
    sys.exit("version %s of the payload is not known here" % run["version"])
directory, oz = sys.argv[1], os.environ.get("OZ_BIN", "oz")
environment = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
environment.update(run["env"])
# The agent, and then the word that it is gone, which finishes a run whose agent could not report.
script = "\"$@\"; \"$0\" harness-support --run-id \"$OZ_RUN_ID\" report-shutdown"
log = open(os.path.join(directory, "log"), "wb")
agent = subprocess.Popen(
    ["/bin/sh", "-c", script, oz, oz] + run["base_args"],
    cwd=os.path.join(directory, "workspace"), env=environment, start_new_session=True,
    stdin=subprocess.DEVNULL, stdout=log, stderr=log)
with open(os.path.join(directory, "pid"), "w") as file:
    file.write(str(agent.pid))
' "$directory"

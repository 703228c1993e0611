#!/bin/sh
# Reports on the host that it runs on. What is printed becomes the task's log; the report is kept as an artifact.
set -eu

total=3
step=0
section() {
  step=$((step + 1))
  printf '{"type":"progress","step":%d,"total":%d,"message":"%s"}\n' "$step" "$total" "$1" >> "$TASK_EVENTS_FILE"
  printf '== %s ==\n' "$1" >> "$TASK_ARTIFACTS_DIR/report.txt"
  shift
  "$@" >> "$TASK_ARTIFACTS_DIR/report.txt"
}

section system uname -a
section disk df -k "$TASK_SCRATCH_DIR"
section processors getconf _NPROCESSORS_ONLN

echo "reported on $(uname -n)"
printf '{"success": true, "system": "%s", "processors": %d}\n' "$(uname -s)" "$(getconf _NPROCESSORS_ONLN)" > "$TASK_RESULT_FILE"

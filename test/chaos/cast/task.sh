#!/bin/sh
# The command of every task of a run. It writes down when it really ran, in a file of its own in CHAOS_RUNS: "begin", "alive" at each
# tick, "end", each with the seconds since the machine started, which no fault can move. It says a line of log for each tick, and
# leaves a file where it says many.
file="$CHAOS_RUNS/$TASK_ID.$TASK_ATTEMPT.$CHAOS_HOST.$(basename "$TASK_SCRATCH_DIR")"

say() {
  read -r uptime _ </proc/uptime
  echo "$1 $uptime" >>"$file"
}

say begin
set -- $(sed -n 's/^{"marker":"\([^"]*\)","ticks":\([0-9]*\),"lines":\([0-9]*\),"failures":\([0-9]*\).*/\1 \2 \3 \4/p' "$TASK_PARAMETERS_FILE")
marker=$1 ticks=$2 lines=$3 failures=$4

line=0
while [ "$line" -lt "$lines" ]; do
  line=$((line + 1))
  echo "$line"
done
tick=0
while [ "$tick" -lt "$ticks" ]; do
  tick=$((tick + 1))
  sleep 0.1
  say alive
  echo "$((lines + tick))"
done

# Whole or not at all, on a full disk too.
if [ "$lines" -gt 8 ]; then
  echo "$marker $TASK_ATTEMPT" >"$TASK_SCRATCH_DIR/told" && mv "$TASK_SCRATCH_DIR/told" "$TASK_ARTIFACTS_DIR/told"
fi

say end
if [ "$TASK_ATTEMPT" -le "$failures" ]; then
  echo "as it was told" >&2
  exit 1
fi
echo "{\"marker\":\"$marker\",\"attempt\":$TASK_ATTEMPT}" >"$TASK_RESULT_FILE"

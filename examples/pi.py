"""Estimates pi from `points` random points (default 1000000) in `batches` (default 10): a program that uses the whole protocol.

Beside what it prints, it says how far it is through the file that TASK_EVENTS_FILE names, leaves a table in the folder that
TASK_ARTIFACTS_DIR names, and ends with 65 where another attempt on the same parameters would fail, too.
"""
import csv
import json
import os
import random
import sys

NO_RETRY = 65


def say(**event):
    """Appends one event: a JSON object in a line of its own."""
    with open(os.environ["TASK_EVENTS_FILE"], "a", encoding="utf-8") as events:
        events.write(json.dumps(event) + "\n")


def main():
    with open(os.environ["TASK_PARAMETERS_FILE"], encoding="utf-8") as file:
        parameters = json.load(file)
    points, batches = parameters.get("points", 1_000_000), parameters.get("batches", 10)
    if not (isinstance(points, int) and isinstance(batches, int) and 1 <= batches <= 1000 and batches <= points <= 10**9):
        say(type="failure", error="points must be a whole number up to 10^9, batches one up to 1000 and to points", retryable=False)
        sys.exit(NO_RETRY)

    rng = random.Random(parameters.get("seed"))
    inside = done = 0
    with open(os.path.join(os.environ["TASK_ARTIFACTS_DIR"], "estimates.csv"), "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["points", "estimate"])
        for batch in range(1, batches + 1):
            size = points // batches + (1 if batch <= points % batches else 0)
            inside += sum(rng.random() ** 2 + rng.random() ** 2 <= 1 for _ in range(size))
            done += size
            table.writerow([done, 4 * inside / done])
            say(type="progress", step=batch, total=batches, message=f"{done} points")
            say(type="metric", name="estimate", value=4 * inside / done)
    say(type="log", level="info", message="done", context={"points": done, "inside": inside})
    with open(os.environ["TASK_RESULT_FILE"], "w", encoding="utf-8") as file:
        json.dump({"success": True, "pi": 4 * inside / done, "points": done}, file)


main()

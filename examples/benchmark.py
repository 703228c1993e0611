"""Counts the primes below `limit` (default 200000), `rounds` times (default 3): real work on a task's parameters.

The parameters come as JSON on stdin; the result goes to the file that TASK_RESULT_FILE names; what is printed becomes the
task's log; an exit code other than 0 fails the task.
"""
import json
import os
import sys
import time


def count_primes(limit):
    sieve = bytearray([1]) * max(limit, 2)
    sieve[0:2] = b"\0\0"
    for n in range(2, int(limit**0.5) + 1):
        if sieve[n]:
            sieve[n * n :: n] = bytes(len(range(n * n, len(sieve), n)))
    return sum(sieve[:limit])


def main():
    parameters = json.load(sys.stdin)
    limit, rounds = parameters.get("limit", 200_000), parameters.get("rounds", 3)
    if not (isinstance(limit, int) and 2 <= limit <= 50_000_000 and isinstance(rounds, int) and 1 <= rounds <= 1000):
        sys.exit("limit must be a whole number from 2 to 50000000, rounds one from 1 to 1000")
    seconds = []
    for number in range(1, rounds + 1):
        began = time.perf_counter()
        primes = count_primes(limit)
        seconds.append(time.perf_counter() - began)
        print(f"round {number} of {rounds}: {primes} primes in {seconds[-1]:.3f} s", flush=True)
    result = {"success": True, "primes": primes, "metrics": {"rounds": rounds, "best_seconds": min(seconds)}}
    with open(os.environ["TASK_RESULT_FILE"], "w", encoding="utf-8") as file:
        json.dump(result, file)


main()

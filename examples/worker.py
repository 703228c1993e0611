"""A worker of Task Executor in Python's standard library alone, by the rules of docs/protocol.md. API_URL says where the API is."""
import http.client, json, os, random, signal, sys, threading, time, urllib.error, urllib.request, uuid

WORKERS = os.environ.get("API_URL", "http://127.0.0.1:8000").rstrip("/") + "/api/v1/workers"
leaving, never = threading.Event(), threading.Event()


def run(task, log, stop):
    """Your work: returns a JSON object, raises what went wrong, and ends soon after `stop` was set. This one only plays."""
    wanted = task["parameters"]
    for step in range(wanted.get("max_steps", 3)):
        if not stop.wait(wanted.get("duration_seconds", 1) / wanted.get("max_steps", 3)):
            log(f"step {step + 1}")
    if wanted.get("fail"):
        raise RuntimeError(wanted.get("error", "asked to fail"))
    return {"success": True}


class Refused(Exception):
    """A definite answer: the same call will not succeed later. Its text is the problem's code."""


def call(method, path, body=None, session="", attempt="", stop=leaving, tries=sys.maxsize):
    """Calls until there is a definite answer, and returns its JSON, with when it was asked for; None where there was none."""
    headers = {"Content-Type": "application/json", **({"Worker-Session": session} if session else {}), **({"Task-Attempt": attempt} if attempt else {})}
    for failures in range(tries):
        if stop.is_set():
            return None
        pause, asked_at = random.uniform(0.1, 1) * min(10, 0.2 * 2 ** min(failures, 10)), time.monotonic()
        try:
            data = None if body is None else json.dumps(body).encode()
            with urllib.request.urlopen(urllib.request.Request(WORKERS + path, data, headers, method=method), timeout=15) as answer:
                text = answer.read()
                return {**json.loads(text), "asked_at": asked_at} if text else None
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code not in (408, 429):
                raise Refused(json.loads(error.read()).get("code"))
            pause += float(error.headers.get("Retry-After", 0))
        except (OSError, http.client.HTTPException):
            pass
        stop.wait(pause)


def work(answer):
    """One session: until it is over, or the worker leaves."""
    worker, session, over, running = f"/{answer['id']}", answer["session"], threading.Event(), []

    def heartbeats(last):
        while not over.wait(last["heartbeat_interval_seconds"]):
            try:
                named = [{"task_id": task["id"], "attempt": task["attempt"]} for task, _ in running]
                last = call("POST", f"{worker}/heartbeat", {"attempts": named}, session, stop=over, tries=1) or last
            except Refused:
                break
            told = [directive["task_id"] for kind in ("cancel", "lost") for directive in last["directives"][kind]]
            for _, stop in [one for one in running if one[0]["id"] in told]:
                stop.set()
            if time.monotonic() - last["asked_at"] > last["lease_seconds"]:
                break
        over.set()
        for _, stop in list(running):
            stop.set()

    def attempt(task, stop):
        def say(verb, body):
            try:
                call("POST", f"{worker}/tasks/{task['id']}/{verb}", body, session, str(task["attempt"]), stop)
            except Refused as refused:
                if verb == "complete" and str(refused) not in ("attempt_not_held", "task_not_found"):
                    return say("fail", {"error": f"the result was refused: {refused}"})
                stop.set()  # The attempt is not ours any more.

        lines = iter(range(sys.maxsize))
        try:
            result = run(task, lambda line: say("logs", {"offset": next(lines), "entries": [{"message": line}]}), stop)
        except Exception as error:
            return say("fail", {"error": str(error) or type(error).__name__})
        say("complete", result)

    threading.Thread(target=heartbeats, args=[answer], daemon=True).start()
    try:
        while not (over.is_set() or leaving.is_set()):
            task = call("POST", f"{worker}/claim", {"wait_seconds": 5, "request_id": str(uuid.uuid4())}, session, stop=over)
            if task:
                running.append((task, threading.Event()))
                attempt(*running[0])
                running.clear()
            else:
                leaving.wait(0.2)
        if not over.is_set():
            call("DELETE", worker, session=session, stop=never, tries=1)
    except Refused:
        pass  # The session is over; what ran under it has ended.
    over.set()


for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda *_: leaving.set())
while not leaving.is_set():
    registered = call("POST", "/register", {"backend_type": "kind", "capabilities": {"supported_problems": ["test-*"]}})
    if registered:
        work(registered)

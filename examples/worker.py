"""A worker in Python's standard library alone: the basic level of docs/protocol.md, without a spool. API_URL says where the API is."""
import http.client, itertools, json, os, random, signal, sys, threading, urllib.request, uuid

WORKERS = os.environ.get("API_URL", "http://127.0.0.1:8000").rstrip("/") + "/api/v1/workers"

def run(task, log, stop):
    """Your work: returns a JSON object, raises what went wrong, and ends soon after `stop` was set. This one only plays."""
    wanted = {"duration_seconds": 1, "max_steps": 3, "fail": False, "error": "asked to fail", **task["parameters"]}
    for step in range(wanted["max_steps"]):
        stop.wait(wanted["duration_seconds"] / wanted["max_steps"])
        log(f"step {step + 1}")
    if wanted["fail"]:
        raise RuntimeError(wanted["error"])
    return {"success": True}

class Refused(Exception):
    """The API does not take what was said of a task, for what is in it: its code."""

def call(method, path, body, stop, headers={}):
    """Repeats a call until the API answers, and returns the answer's JSON; until then `stop` ends it. A refusal sets `stop`, or is Refused."""
    headers = {"Content-Type": "application/json", **headers}
    request = urllib.request.Request(WORKERS + path, json.dumps(body).encode(), headers, method=method)
    failures = 0
    while not stop.is_set():
        try:
            return json.loads(urllib.request.urlopen(request, timeout=15).read() or "null")
        except (OSError, http.client.HTTPException) as error:
            status, retry_after = getattr(error, "code", 503), getattr(error, "headers", {}).get("Retry-After", 0)
            # Only the API's own: what a proxy refuses is no answer.
            if status < 500 and status not in (408, 429) and error.headers.get_content_type() == "application/problem+json":
                problem = error.read().decode()
                print(f"{method} {path}: {problem}", file=sys.stderr)
                if "/tasks/" in path and status in (400, 413, 422):
                    raise Refused(json.loads(problem)["code"])
                stop.set()
            stop.wait(float(retry_after) + random.uniform(0.1, 1) * min(10, 0.2 * 2 ** failures))
            failures = min(failures + 1, 10)

def attempt(task, running, path, session):
    """Runs a task, and says how that went. A `stop` that is set ends all that is said of it."""
    stop, lines, headers = threading.Event(), itertools.count(), {**session, "Task-Attempt": str(task["attempt"])}
    say = lambda verb, body: call("POST", f"{path}/tasks/{task['id']}/{verb}", body, stop, headers)
    running.append(({"task_id": task["id"], "attempt": task["attempt"]}, stop))
    try:
        result = run(task, lambda line: say("logs", {"offset": next(lines), "entries": [{"message": line}]}), stop)
        say("complete", result)
    except Exception as error:
        # What the API would refuse in it, too: NUL, lone surrogates, too much of it.
        text = (str(error) or type(error).__name__)[:4000].replace("\0", "?").encode(errors="replace").decode()
        say("fail", {"error": text})
    running.clear()

def heartbeats(path, session, interval, running, over):
    """Names what runs, until the session is over; stops what it is told to, and all of it then."""
    while not over.wait(interval):
        answer = call("POST", f"{path}/heartbeat", {"attempts": [named for named, _ in running]}, over, session)
        told = [one["task_id"] for kind in ("cancel", "lost") for one in answer["directives"][kind]] if answer else []
        for stop in [stop for named, stop in running if over.is_set() or named["task_id"] in told]:
            stop.set()

leaving = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: leaving.set())
capabilities = {"supported_problems": ["test-*"]}
while worker := call("POST", "/register", {"session": str(uuid.uuid4()), "backend_type": "kind", "capabilities": capabilities}, leaving):
    path, session, running, over = f"/{worker['id']}", {"Worker-Session": worker["session"]}, [], threading.Event()
    threading.Thread(target=heartbeats, args=(path, session, worker["heartbeat_interval_seconds"], running, over), daemon=True).start()
    while not (over.is_set() or leaving.is_set()):
        task = call("POST", f"{path}/claim", {"wait_seconds": 5, "request_id": str(uuid.uuid4())}, over, session)
        attempt(task, running, path, session) if task else leaving.wait(0.2)
    call("DELETE", path, {}, over, session)

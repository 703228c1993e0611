/*
 * The rows and the statements. Each d_step is one statement: it decides and writes at once, or changes nothing. The names in brackets
 * are those of the files in packages/api/src.
 */

/* workers: the current session of each, and whether it has ended. A session is numbered within its worker. */
byte session[2] = 1;
bool ended[2];

/* queue: the task's row. What names a holder is 0 where nobody holds the task, as its CHECK says. */
mtype state = pending;
byte attempt, failures, losses;
byte holder, holder_session, claim_request;
bool has_dependents;

/* outcomes and attempts. Whose an attempt was is noted when it begins; in the product its queue row has that until it ends. */
mtype outcome = none;
byte outcome_attempt;
mtype ends[MOST_ATTEMPTS + 1] = none;
byte whose[MOST_ATTEMPTS + 1];

/* The dependent: its row, its open dependency, and the notes of ended_parents. */
mtype dependent = absent;
bool dependency;
byte notes;

/* What only the properties need: how many attempts began and ended, and what was acknowledged. */
byte begun, closed;
bool cancel_acknowledged;

/* What a statement answers; cleared by whoever takes it, in the same step. */
byte got;
mtype verdict = none;

#define WHO(w, s) ((w) * (SESSIONS + 1) + (s))
#define LIVE(w, s) (session[w] == (s) && !ended[w])
#define HOLDS_UNDER(w, s) (state == running && holder == (w) && holder_session == (s))

/* queue/history: RECORD_ATTEMPTS. The primary key refuses a second end. */
inline record_attempt(number, how) {
  MUST(ends[number] == none, "an attempt ends once");
  ends[number] = how;
  closed++
}

/* queue/history: RECORD_OUTCOMES, with the note for dependents. */
inline record_outcome(how) {
  MUST(how != completed || !cancel_acknowledged, "a cancelled task never completes");
  MUST(outcome == none, "a task has one outcome, and it is final");
  outcome = how;
  outcome_attempt = attempt;
  if :: has_dependents -> notes++ :: else fi
}

/* The queue row without a holder; or gone. */
inline put_back(next) {
  state = next;
  holder = 0;
  holder_session = 0;
  claim_request = 0
}

inline leave_queue(how) {
  record_outcome(how);
  put_back(over);
  failures = 0;
  losses = 0;
  has_dependents = false
}

/* fleet/register: a new session, which fences the old one. */
inline register(w) {
  session[w]++;
  ended[w] = false
}

/* queue/claim: `got` is the attempt, or 0. */
#ifdef CLAIM_NOT_REPEATABLE
#define AGAIN(w, s, request) false
#else
#define AGAIN(w, s, request) (HOLDS_UNDER(w, s) && claim_request == (request))
#endif
#ifdef CLAIM_TAKES_WHAT_RUNS
#define FREE (state != over)
#else
#define FREE (state == pending)
#endif
#define CLAIMABLE(w, s, request) (LIVE(w, s) && (AGAIN(w, s, request) || FREE))

inline claim(w, s, request) {
  d_step {
    got = 0;
    if
    :: LIVE(w, s) && AGAIN(w, s, request) -> got = attempt
    :: LIVE(w, s) && !AGAIN(w, s, request) && FREE ->
      MUST(begun == closed, "at most one attempt holds the task");
      MUST(outcome == none, "no attempt begins after the task has ended");
      attempt++;
      begun++;
      MUST(attempt == begun, "attempts are numbered from 1 without gaps");
      whose[attempt] = WHO(w, s);
      state = running;
      holder = w;
      holder_session = s;
      claim_request = request;
      got = attempt
    :: else
    fi;
    printf("worker %d, session %d, claim %d: ", w, s, request);
    if :: got -> printf("attempt %d\n", got) :: else -> printf("nothing\n") fi
  }
}

/* queue/fence */
#ifdef FENCING_DROPPED
#define HOLDS(w, s, number) (state == running)
#else
#define HOLDS(w, s, number) (HOLDS_UNDER(w, s) && attempt == (number))
#endif
#ifdef COMPLETE_NOT_REPEATABLE
#define WAS_REPORTED(w, s, number, how) false
#else
#define WAS_REPORTED(w, s, number, how) (ends[number] == how && whose[number] == WHO(w, s))
#endif

/*
 * queue/report, and where it changed nothing wasReported: that is a second statement, but of an attempt that does not hold its task
 * any more nothing changes. `verdict` is the answer.
 */
inline report(w, s, number, how) {
  d_step {
    if
    :: HOLDS(w, s, number) ->
      MUST(number == attempt && whose[attempt] == WHO(w, s) && ends[attempt] == none, "no stale report is accepted");
      record_attempt(attempt, how);
      if
      :: how == released -> put_back(pending)
      :: how == failed && failures + 1 < MAX_ATTEMPTS -> failures++; put_back(pending)
      :: else -> leave_queue(how)
      fi;
      verdict = accepted
    :: else ->
      if :: WAS_REPORTED(w, s, number, how) -> verdict = accepted :: else -> verdict = refused fi
    fi;
    printf("worker %d, session %d, says attempt %d is %e: %e\n", w, s, number, how, verdict);
    /* It follows from what is recorded, which never changes: so the next one's answer is the same. */
    MUST((verdict == accepted) == (ends[number] == how && whose[number] == WHO(w, s)), "a repeated report gets the first one's answer")
  }
}

/* queue/cancel: `verdict` is the answer. */
inline cancel_task() {
  d_step {
    if
    :: state != over ->
      if :: state == running -> record_attempt(attempt, cancelled) :: else fi;
      leave_queue(cancelled);
      verdict = accepted
    :: else -> verdict = refused
    fi;
#ifdef CANCEL_IGNORES_STATE
    verdict = accepted;
#endif
    printf("cancel: %e\n", verdict);
    MUST(verdict == refused || outcome == cancelled, "an acknowledged cancel is the end of its task");
    cancel_acknowledged = cancel_acknowledged || verdict == accepted
  }
}

/* queue/sweep: the attempt `number`, of a session that has ended, is lost. */
#define SESSION_IS_OVER (state == running && (holder_session != session[holder] || ended[holder]))

inline lose(number) {
  printf("sweep: attempt %d is lost\n", number);
  record_attempt(number, lost);
  if
  :: losses + 1 < MAX_LOST ->
    if :: state != over -> losses++; put_back(pending) :: else fi
  :: else -> leave_queue(failed)
  fi
}

inline time_out() {
  d_step {
    printf("sweep: attempt %d has timed out\n", attempt);
    record_attempt(attempt, timeout_);
    if
    :: failures + 1 < MAX_ATTEMPTS -> failures++; put_back(pending)
    :: else -> leave_queue(timeout_)
    fi
  }
}

/*
 * A worker (packages/worker/src). Each of its calls is a step of its own: the API executes it, and the answer is on its way, or will
 * not arrive. A worker repeats a call until it is answered, so a request that arrives twice is one that is delayed and repeated.
 */

byte lossesLeft = LOSSES;
byte copiesLeft = COPIES;
byte releasesLeft = RELEASES;

/* On its way to the API, each in a place of its own so that they overtake each other: what, worker, session, request or attempt, word. */
chan late[COPIES + 1] = [1] of { mtype, byte, byte, byte, mtype };

/* The answer to the worker's call: an attempt, or accepted or refused. */
chan answer[2] = [1] of { byte };

inline forget() {
  got = 0;
  verdict = none
}

inline reply(w, what) {
  if
  :: answer[w]!what
  :: lossesLeft -> lossesLeft--; printf("  its answer is lost\n")
  fi;
  forget()
}

inline delay(what, w, s, number, how) {
  copiesLeft--;
  late[copiesLeft]!what, w, s, number, how;
  printf("worker %d, session %d: a request (%e %d) is delayed\n", w, s, what, number)
}

proctype Worker(byte w) {
  byte me = 1;           /* my session */
  byte request = 1;      /* the id of my claim */
  byte mine, by;         /* my attempt, and the session that it is of */
  mtype word = none;     /* what I say of it; from then on it is in the spool */
  byte suspect;          /* an attempt that a heartbeat told of and that I do not know */
  mtype at = claiming;

#define KNOWN ((mine == attempt && by == me) || (at == claiming && claim_request == request))
#define STRAY (HOLDS_UNDER(w, me) && LIVE(w, me) && !KNOWN)

  end: do
  /* claim-loop: the call hangs until there is a task; the request id stays until it is answered. */
  :: atomic { at == claiming && empty(answer[w]) && CLAIMABLE(w, me, request) -> claim(w, me, request); reply(w, got) }
  :: atomic { at == claiming && empty(answer[w]) && LIVE(w, me) && copiesLeft -> delay(claiming, w, me, request, none) }
  :: atomic { at == claiming && nempty(answer[w]) ->
      answer[w]?mine;
      by = me;
      request++;
      at = reporting;
      /* attempt: however long it runs, all that is seen of it is its end. */
      if
      :: word = completed
      :: word = failed
      :: releasesLeft -> releasesLeft--; word = released
      fi }

  /* outbox, courier: sent under the session and the attempt that it is of, until there is an answer. */
  :: atomic { at == reporting && empty(answer[w]) -> report(w, by, mine, word); reply(w, verdict) }
  :: atomic { at == reporting && empty(answer[w]) && copiesLeft -> delay(reporting, w, by, mine, word) }
  :: atomic { at == reporting && nempty(answer[w]) ->
      answer[w]?verdict;
      MUST(verdict == refused || ends[mine] == word, "an acknowledged report is what is recorded");
#define IS_OUTCOME (outcome == completed && outcome_attempt == mine)
      MUST(verdict == refused || word != completed || IS_OUTCOME, "an acknowledged completion is the outcome");
      printf("worker %d: that attempt %d is %e was %e\n", w, mine, word, verdict);
      forget(); mine = 0; by = 0; word = none; at = claiming }

#ifndef STRAYS_KEPT
  /* strays: what is not known at two heartbeats running is handed back; whether the answer comes makes no difference. */
  :: atomic { STRAY && suspect != attempt -> suspect = attempt }
  :: atomic { STRAY && suspect == attempt -> suspect = 0;
      if
      :: report(w, me, attempt, released); forget()
      :: copiesLeft -> delay(reporting, w, me, attempt, released)
      fi }
#endif

  /*
   * It dies, or hears that its session has ended, and registers anew. What is in the spool is sent on, unless the disk is lost with it.
   * Calls under way are not waited for.
   */
  :: atomic { session[w] < SESSIONS ->
      register(w);
      me = session[w];
      request = 1;
      suspect = 0;
      if :: len(answer[w]) > 0 -> answer[w]?got; forget() :: else fi;
      printf("worker %d registers anew: session %d\n", w, me);
      if
      :: at == reporting
      :: mine = 0; by = 0; word = none; at = claiming
      fi }
  od
}

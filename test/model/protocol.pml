/*
 * The protocol of claims, leases, reports, cancels, sweeps and dependents, for spin: one task, a dependent of it, two workers, two
 * replicas that act on notes, one client that cancels, and channels that lose answers, and lose, double and delay requests.
 *
 * What is modelled
 *   database.pml   the rows, and every statement on them as one indivisible step. A submission and the statement that wakes dependents
 *                  take two, their snapshot and their writes, since their argument is about what lies between (queue/submit,
 *                  queue/dependents). That the other statements are as good as indivisible is what packages/api/test/races* try.
 *   worker.pml     a worker: its claim loop, one attempt at a time, its spool, its hand-back of strays; it dies and registers anew.
 *   service.pml    what the network delivers late, the sweep, the client that cancels, the submitter of the dependent, its wakers.
 *
 * How to read it
 *   There is no time: a lease may run out, and a deadline pass, at any moment at all, which covers every way in which clocks and slow
 *   programs can combine. What goes wrong is counted out by the bounds below; so in the end workers and channels are good, and every
 *   run is finite. Then "the task ends in every run" needs no assumption about fairness: no run goes on for ever without it (`ends`),
 *   and none stops short of it (Referee).
 *   MUST marks a property; its text is its name. Each mutant (-DNAME) is one deliberate mistake that breaks one of them.
 *
 * What is left out
 *   Priorities, lanes, limits, pauses, drains, batches, workers that run several tasks, logs, artifacts, late reports (they change
 *   nothing), backoff (a task that waits for its time is pending here), expiry, deregistering (its tasks are released as by a report),
 *   callers without headers (they stand for the current session and attempt), a worker's own clock (one that goes on after its
 *   lease is the harder case), directives to stop (one that obeys them is a worker that says nothing of its attempt), reuse and
 *   dependents with several parents. They have tests of their own.
 */

/* How often each thing may go wrong, or happen at all. scripts/model.mjs names them for each of its configurations. */
#ifndef SESSIONS
#define SESSIONS 2      /* of each worker; every one but the last may lapse or be replaced at any moment */
#endif
#ifndef LOSSES
#define LOSSES 1        /* answers that do not arrive */
#endif
#ifndef COPIES
#define COPIES 1        /* requests that arrive late, or twice, or (late, and not at all) never */
#endif
#ifndef TIMEOUTS
#define TIMEOUTS 1      /* deadlines that pass */
#endif
#ifndef RELEASES
#define RELEASES 0      /* attempts that a worker hands back by its own wish */
#endif
#ifndef CANCELS
#define CANCELS 1       /* 0 or 1 */
#endif
#ifndef DEPENDENTS
#define DEPENDENTS 1    /* 0 or 1 */
#endif

#ifndef MAX_ATTEMPTS
#define MAX_ATTEMPTS 2  /* so many failures and timeouts end the task */
#endif
#ifndef MAX_LOST
#define MAX_LOST 2      /* so do so many losses */
#endif

/* What is handed back, by wish or as a stray that a copy of a claim took, comes on top. */
#define MOST_ATTEMPTS (MAX_ATTEMPTS + MAX_LOST - 1 + RELEASES + COPIES)

/* Not an assertion over the text: pan says at which line it stopped, the replay of its trail says what was broken there. */
#define MUST(condition, property) if :: (condition) :: else -> printf("BROKEN: "); printf(property); printf("\n"); assert(false) fi

mtype = {
  none,
  pending, running, over,                               /* the task's queue row; over: it is gone */
  absent, blocked, ready, dependency_failed,            /* the dependent */
  completed, failed, timeout_, cancelled, lost, released, /* outcomes; three of them are what a worker may say */
  accepted, refused,                                    /* what is answered to a report */
  claiming, reporting                                   /* what a worker is at, and what a request is about */
};

#include "database.pml"
#include "worker.pml"
#include "service.pml"

#define SETTLED (state == over && (!DEPENDENTS || (dependent != absent && dependent != blocked)))

/* What must be so when nothing can happen any more. */
proctype Referee() {
  end: timeout -> d_step {
    MUST(state == over, "the task ends in every run");
    MUST(SETTLED, "the dependent is woken in every run");
    MUST(begun == closed, "no attempt is left without an end");
  }
}

init {
  atomic {
    run Worker(0);
    run Worker(1);
    run Network();
    run Sweeper();
    if :: CANCELS -> run Canceller() :: else fi;
    if :: DEPENDENTS -> run Submitter(); run Waker(0); run Waker(1) :: else fi;
    run Referee()
  }
}

#ifdef LIVENESS
ltl ends { <> SETTLED }
#endif

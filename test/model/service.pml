/* All that is not a worker. Whatever can happen here can happen at any moment. */

inline deliver() {
  if
  :: printf("a delayed request never arrives\n")
  :: printf("a delayed request arrives. ");
    if
    :: what == claiming -> claim(w, s, number)
    :: else -> report(w, s, number, word)
    fi
  fi;
  forget(); what = none; w = 0; s = 0; number = 0; word = none
}

/* Requests that were delayed: nobody waits for their answers any more. */
proctype Network() {
  mtype what, word;
  byte w, s, number, n;
  end: do
  :: atomic { late[0]?what, w, s, number, word -> deliver() }
#if COPIES > 1
  :: atomic { late[1]?what, w, s, number, word -> deliver() }
#endif
  od
}

/* Any replica's sweep; leases that run out and deadlines that pass. A worker's last session stays, see protocol.pml. */
proctype Sweeper() {
  byte timeoutsLeft = TIMEOUTS;
  byte read;
  end: do
  :: d_step { !ended[0] && session[0] < SESSIONS -> ended[0] = true; printf("sweep: the lease of worker 0 has run out\n") }
  :: d_step { !ended[1] && session[1] < SESSIONS -> ended[1] = true; printf("sweep: the lease of worker 1 has run out\n") }
#ifdef SWEEPER_READS_THEN_WRITES
  :: d_step { read == 0 && SESSION_IS_OVER -> read = attempt; printf("sweep: reads that attempt %d is to be lost\n", read) }
  :: d_step { read != 0 -> lose(read); read = 0 }
#else
  :: d_step { SESSION_IS_OVER -> lose(attempt) }
#endif
  /* Or does not pass: whatever is stranded must be found by other means. */
  :: atomic { timeoutsLeft -> timeoutsLeft--; if :: state == running -> time_out() :: true fi }
  od
}

/* A client that may cancel, and repeats it where no answer comes. */
proctype Canceller() {
  do
  :: break
  :: atomic { cancel_task(); forget();
      if
      :: break
      :: lossesLeft -> lossesLeft--; printf("  its answer is lost\n")
      fi }
  od
}

inline submit(how, is_noted, is_watched) {
  d_step {
    dependent = how;
    dependency = how == blocked;
    notes = notes + is_noted;
    has_dependents = has_dependents || is_watched;
    printf("submission: the dependent is %e\n", how)
  }
}

/* queue/submit of the dependent: what its snapshot shows of the parent, then the lock on the parent's row and the writes. */
proctype Submitter() {
  mtype seen;
  do
  :: d_step { seen = outcome; printf("submission: its snapshot has the parent as %e\n", seen) };
    atomic {
      if
      :: seen == completed -> submit(ready, 0, 0); break
      /* It blocks, and leaves a note of its own. */
      :: seen != none && seen != completed -> submit(blocked, 1, 0); break
      :: seen == none && state != over -> submit(blocked, 0, 1); break
#ifdef LOST_WAKE_UP
      :: seen == none && state == over -> submit(blocked, 0, 0); break
#else
      :: seen == none && state == over -> printf("submission: the parent ended meanwhile, and nothing is stored\n")
#endif
      fi
    }
  od
}

/* queue/dependents, on one of two replicas: the snapshot, then the locks, which leave out what others have taken, and the writes. */
proctype Waker(byte replica) {
  byte seen;
  bool edge;
  end: do
  :: d_step { notes && !seen -> seen = 1; edge = dependency; printf("replica %d: sees a note\n", replica) }
  :: d_step { seen ->
      if
      :: notes ->
        notes--;
        if
        :: edge && dependency ->
          MUST(state == over && outcome != none, "a dependent is woken only when its parent has ended");
          MUST(dependent == blocked, "a dependent is woken once");
          dependency = false;
          if :: outcome == completed -> dependent = ready :: else -> dependent = dependency_failed fi;
          printf("replica %d: the dependent is %e\n", replica, dependent)
        :: else
        fi
      :: else
      fi;
      seen = 0; edge = false }
  od
}

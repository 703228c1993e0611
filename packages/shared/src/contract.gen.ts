/* Generated from openapi.yaml by `pnpm contract:generate`; do not edit. */
export interface paths {
    "/api/v1/tasks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List tasks
         * @description A page of tasks, newest first unless `sort` says otherwise. For walks deeper than a few pages follow `next_cursor`
         *     (or the `Link` header): each page then costs the same, however deep. A cursor belongs to its filters and its
         *     sort: change one, and start again without it. Tasks whose sort key is null (never started, not finished) come
         *     last in either direction.
         *
         *     The tasks of a page have at most 32 MiB together, unless it is one task. A page after a cursor that would have more is
         *     shorter, and its `next_cursor` goes on after it. Any other is refused (`page_too_large`), with the `page_size` that fits:
         *     pages by number must not change their size on the way.
         */
        get: operations["listTasks"];
        put?: never;
        /**
         * Submit a task
         * @description An answer of 201 means that the task is stored durably and will be run. With an `Idempotency-Key` the call may be
         *     repeated: it gets the first answer again, for ever. Where the task has a `dedupe_key` and one with the same key has not
         *     ended, that one is answered, with 200.
         */
        post: operations["createTask"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/batch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Submit up to 1,000 tasks at once
         * @description All of them are stored, or none. Each may have an `idempotency_key` of its own: an item whose key came before with the same
         *     task stands for the task that was made then. The whole call may have an `Idempotency-Key`, too. The tasks have at most 100,000
         *     dependencies together; the body has at most 16 MiB, the `parameters` of each task, as JSON without spaces, at most 1 MiB; where
         *     one has more, 413 says which.
         */
        post: operations["createTasks"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Export tasks as a stream
         * @description Every task that fits the filters, as JSON lines in a stream of any length. The lines of a task's attempts and of its log, where
         *     they are asked for, come before the line of the task; the `cursor` of that line goes on after it, in this export or in a later
         *     one with the same filters. A stream that was broken off lacks the last chunk, as where its reader took less than about 25 kB/s
         *     for a minute; `cursor` goes on with it.
         *
         *     Where the filters mean ended tasks only (a `status` with none but completed, failed, timeout and cancelled, or `completed_from`
         *     or `completed_before`), tasks come in the order in which they ended. An export that goes on after a cursor then has exactly
         *     what has ended since, each task once, however early it was submitted; none is ever passed over. This is the way to fetch
         *     results again and again.
         *
         *     With other filters tasks come in the order of submission, and each as it stands when it is written, with the attempts and the
         *     log that it has by then. None that fits then is passed over, but the export does not come back to a task that was written
         *     while it was pending or running, nor to one that fits only later. A cursor of the one order is refused (422) in the other.
         */
        get: operations["exportTasks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/stats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Count tasks by status, problem and worker
         * @description Exact at the moment of the answer, and as cheap with ten million tasks as with ten.
         */
        get: operations["getTaskStats"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task_id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a task. */
                task_id: components["parameters"]["TaskId"];
            };
            cookie?: never;
        };
        /**
         * Read one task
         * @description With `wait_seconds` the answer comes when the task has ended, or after that time with the task as it is then.
         */
        get: operations["getTask"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change the priority or the time of a pending task
         * @description Also between two attempts; what runs or has ended stays as it is. A `run_at` in the past lets the task run at once,
         *     unless it is blocked; it also ends the wait for another attempt.
         */
        patch: operations["adjustTask"];
        trace?: never;
    };
    "/api/v1/tasks/{task_id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a task. */
                task_id: components["parameters"]["TaskId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel a pending or running task
         * @description The task is `cancelled` when the answer comes. A worker that runs it is told with the answer to its next
         *     heartbeat, log batch or report, and stops.
         */
        post: operations["cancelTask"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task_id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a task. */
                task_id: components["parameters"]["TaskId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Run a task that has ended again, as a new one
         * @description The new task has the same problem, parameters and rules, may run at once and names the old one in `retry_of`. Where the task has a
         *     `dedupe_key` and one with the same key has not ended, that one is answered, with 200.
         *
         *     It depends on the same tasks, or on retries of them: where one of them did not complete, or was retried since the task was
         *     submitted, the newest of its retries (and of theirs) that has completed or has not ended takes its place, or else the task that has
         *     its `dedupe_key` and has not ended. The result is delivered under the same name or id as before. Where a task that it depends on did
         *     not complete and none of these is there, the answer is 409 (`dependency_failed`), and `detail` names what has to be retried first; a
         *     task with `on_dependency_failure: run_anyway` is retried all the same. The new task of one in a workflow belongs to no workflow.
         */
        post: operations["retryTask"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task_id}/attempts": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a task. */
                task_id: components["parameters"]["TaskId"];
            };
            cookie?: never;
        };
        /**
         * List the attempts of a task
         * @description In their order, the running one last. What a worker reported of an attempt after it had lost it is kept as `late`; it changed
         *     nothing. The log of one attempt is read with `GET /api/v1/tasks/{task_id}/logs?attempt=1`. A page that would have more than
         *     32 MiB is shorter than `limit`, and `next_cursor` goes on after it.
         */
        get: operations["listTaskAttempts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task_id}/explain": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a task. */
                task_id: components["parameters"]["TaskId"];
            };
            cookie?: never;
        };
        /**
         * Explain why a task is not running
         * @description Every constraint that holds the task back, from the predicates that a claim is made of, with who stands in its way; its place
         *     among the pending tasks, and how many of those before it its workers take; and, where that can be said, when it will start,
         *     as a range from how long earlier tasks took.
         */
        get: operations["explainTask"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task_id}/logs": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a task. */
                task_id: components["parameters"]["TaskId"];
            };
            cookie?: never;
        };
        /**
         * Read the log of a task
         * @description Lines in the order in which they were accepted, over all attempts. `next_cursor` marks the place after the last
         *     line of the page: repeat it later to read only what came since. A page that would have more than 32 MiB is shorter than
         *     `limit`, with `has_more`.
         */
        get: operations["getTaskLogs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task_id}/events": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a task. */
                task_id: components["parameters"]["TaskId"];
            };
            cookie?: never;
        };
        /**
         * Follow a task
         * @description Server-Sent Events. The stream begins with a `status` and, where there is any, a `progress` event that say how the task
         *     stands, and goes on with one for each change that is seen; what lasts for a moment only may not be. With `logs=true` each
         *     line of the log is a `log` event, from the first line on. The terminal `status` is the last event, after every line, and the
         *     stream ends.
         *
         *     The `id` of an event is the number of the last line that was sent. A reader that comes back with it in `Last-Event-ID`, as
         *     browsers do by themselves, misses no line and gets none twice. The server ends a stream after some minutes; the reader
         *     comes back. Who comes back after the end of the task gets 204 and is not to come again.
         *
         *     A comment is sent now and then, so that a connection that was lost is noticed. A reader that does not read is cut off.
         */
        get: operations["streamTaskEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task_id}/artifacts": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a task. */
                task_id: components["parameters"]["TaskId"];
            };
            cookie?: never;
        };
        /**
         * List the files that a task left
         * @description In the order in which they were stored, of all attempts or of one.
         */
        get: operations["listTaskArtifacts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tasks/{task_id}/artifacts/{artifact_id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a task. */
                task_id: components["parameters"]["TaskId"];
                /** @description The id of a file. */
                artifact_id: components["parameters"]["ArtifactId"];
            };
            cookie?: never;
        };
        /**
         * Download a file that a task left
         * @description The bytes as they were stored; they never change. A download that was broken off goes on with `Range`. Of several ranges
         *     none is taken: the answer is then the whole file.
         */
        get: operations["downloadTaskArtifact"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workflows": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Submit tasks that depend on each other
         * @description Up to 2,000 tasks, each with a `name` that the others use in `depends_on`. All are stored, or none. A task runs when all that it
         *     depends on have completed, and gets their results with its claim. Where one of them ends otherwise, the task is cancelled
         *     (`dependency_failed`), unless it says `on_dependency_failure: run_anyway`. A circle is refused with the names along it. The
         *     tasks have at most 100,000 dependencies together; the body has at most 16 MiB, the `parameters` of each task at most 1 MiB.
         */
        post: operations["createWorkflow"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workflows/{workflow_id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the workflow. */
                workflow_id: components["parameters"]["WorkflowId"];
            };
            cookie?: never;
        };
        /** Read a workflow, its progress and its tasks */
        get: operations["getWorkflow"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workflows/{workflow_id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the workflow. */
                workflow_id: components["parameters"]["WorkflowId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Cancel every task of a workflow that has not ended */
        post: operations["cancelWorkflow"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workflows/{workflow_id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the workflow. */
                workflow_id: components["parameters"]["WorkflowId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Run again what did not complete, as a new workflow
         * @description Tasks that completed are not run again: their results are delivered to the new tasks that depend on them. A workflow that has
         *     not ended gets 409 (`workflow_running`), one whose tasks have all completed, too (`workflow_completed`). Retries of single tasks of
         *     it are tasks of no workflow, and change nothing here: what did not complete in the workflow is run again.
         */
        post: operations["retryWorkflow"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/schedules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List schedules
         * @description By their ids. A page that would have more than 32 MiB is shorter than `limit`, and `next_cursor` goes on after it.
         */
        get: operations["listSchedules"];
        put?: never;
        /**
         * Submit a task again and again
         * @description Each time the expression says, a task is submitted as `task` describes it, exactly once, whatever replicas are up or restart.
         *     `overlap` says what happens while the last of them has not ended; `misfire`, when the service was down at the time and for more than a
         *     minute after it: one fire for all whose time came until it was back, or none for those that were missed, while what is late by
         *     a minute at most still fires. What is late because many fire at once is not missed: it fires, once for all of its schedule that are
         *     late by more than a minute.
         */
        post: operations["createSchedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/schedules/{schedule_id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the schedule. */
                schedule_id: components["parameters"]["ScheduleId"];
            };
            cookie?: never;
        };
        /** Read a schedule and its next runs */
        get: operations["getSchedule"];
        put?: never;
        post?: never;
        /**
         * End a schedule
         * @description Its tasks stay, and go on.
         */
        delete: operations["deleteSchedule"];
        options?: never;
        head?: never;
        /**
         * Change, pause or resume a schedule
         * @description A paused schedule does not fire; what it would have fired meanwhile is not made up for.
         */
        patch: operations["changeSchedule"];
        trace?: never;
    };
    "/api/v1/bulk-operations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List bulk operations
         * @description From the newest on.
         */
        get: operations["listBulkOperations"];
        put?: never;
        /**
         * Cancel or retry every task that fits a filter
         * @description The answer comes at once; the work goes on piece by piece, about 4,000 tasks a second and replica at the most, and can be
         *     followed and stopped. `cancel` is about pending and running tasks, `retry` about those that ended as failed, timeout or cancelled
         *     (or as `status` says). Tasks submitted later are left alone. A filter that no task can ever fit (a `cancel` of completed tasks, a
         *     `created_before` that is not later than `created_from`) gets 422.
         *
         *     A `cancel` goes from the newest task to the oldest: what depends on others is cancelled before them, so that none of it runs
         *     because they ended.
         *
         *     A retry is made as by the call for one task. A task that has been retried already is counted in `skipped`: its newest retry stands
         *     for it, where that one fits the filter, too. What a task depends on is retried before it, and the new tasks depend on each other
         *     as the old ones did. A task that cannot be retried, because one that it depends on did not complete and is not retried either, is
         *     counted in `skipped`; to retry it alone says what has to be retried first.
         */
        post: operations["createBulkOperation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/bulk-operations/{operation_id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the bulk operation. */
                operation_id: components["parameters"]["OperationId"];
            };
            cookie?: never;
        };
        /** Follow a bulk operation */
        get: operations["getBulkOperation"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/bulk-operations/{operation_id}/stop": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the bulk operation. */
                operation_id: components["parameters"]["OperationId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Stop a bulk operation
         * @description What it has done stays done.
         */
        post: operations["stopBulkOperation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/limits": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List concurrency limits and what counts under them */
        get: operations["listLimits"];
        put?: never;
        /**
         * Limit how many tasks run at a time
         * @description At most `max_running` tasks run with the same value of `key`: the problem, the backend of the worker, or a label. With `value` the
         *     limit is about that one value; without, about each value, and then those that use less of it go first. Enforced in the claim
         *     itself, across all replicas. Tasks that run when a limit is made go on.
         */
        post: operations["createLimit"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/limits/{limit_id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the limit. */
                limit_id: components["parameters"]["LimitId"];
            };
            cookie?: never;
        };
        /** Read a limit and what counts under it */
        get: operations["getLimit"];
        put?: never;
        post?: never;
        /** Remove a limit */
        delete: operations["deleteLimit"];
        options?: never;
        head?: never;
        /** Change a limit */
        patch: operations["changeLimit"];
        trace?: never;
    };
    "/api/v1/queue/pauses": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List what is paused */
        get: operations["listPauses"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/queue/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Pause a problem or the whole queue
         * @description Nothing of it is claimed until it is resumed; what runs goes on. Without `problem_id` the whole queue is paused.
         */
        post: operations["pauseQueue"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/queue/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Resume a problem or the whole queue
         * @description Repeated, it changes nothing.
         */
        post: operations["resumeQueue"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/queue/explain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Explain what the backlog waits for */
        get: operations["explainQueue"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List workers
         * @description Every worker that ever registered, by id.
         */
        get: operations["listWorkers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workers/register": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Register a worker and start a session
         * @description Without `worker_id` the server assigns the lowest id that no live worker holds. With it, a session that the id
         *     still has ends: its calls get 409 from now on and the tasks it ran go back to the queue at once, each such
         *     attempt counted as lost. With a `session` a registration is safe to repeat: while that session is live, a copy gets the
         *     worker that it belongs to, and ends nothing.
         */
        post: operations["registerWorker"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workers/{worker_id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a worker. */
                worker_id: components["parameters"]["WorkerId"];
            };
            cookie?: never;
        };
        /** Read one worker */
        get: operations["getWorker"];
        put?: never;
        post?: never;
        /**
         * End a worker's session in good order
         * @description The worker becomes `offline`; tasks that it still holds go back to the queue without using an attempt up. The
         *     worker and its history stay readable. Repeated, it changes nothing.
         */
        delete: operations["deregisterWorker"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workers/{worker_id}/stats": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a worker. */
                worker_id: components["parameters"]["WorkerId"];
            };
            cookie?: never;
        };
        /** Count what a worker did */
        get: operations["getWorkerStats"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workers/{worker_id}/drain": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a worker. */
                worker_id: components["parameters"]["WorkerId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Let a worker finish what it runs and claim nothing more
         * @description From now on it gets no task. It hears of it at once where a heartbeat of it hangs, or a claim with `idle`, else with its next
         *     heartbeat. A new registration ends the drain. A worker that is going to leave when what it runs has ended drains itself by this call: with `Worker-Session`, so that it cannot drain another
         *     process which has its id by now. One that is offline gets 409 (`session_ended`): there is nothing to drain, and it is given no
         *     task before it registers again.
         */
        post: operations["drainWorker"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workers/{worker_id}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a worker. */
                worker_id: components["parameters"]["WorkerId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let a worker that drains claim again */
        post: operations["resumeWorker"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workers/{worker_id}/heartbeat": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `session` that the answer to the registration named. A call under a session that has ended gets 409. A
                 *     caller that sends none is taken for the worker's current session.
                 */
                "Worker-Session"?: components["parameters"]["WorkerSession"];
            };
            path: {
                /** @description The id of a worker. */
                worker_id: components["parameters"]["WorkerId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Renew a worker's lease and fetch directives
         * @description A worker names the attempts it is running (or, the simple form, its `current_task_id`). Those that it should not
         *     be running come back under `directives`: `cancel` for a task that was cancelled or timed out, `lost` for one
         *     that it does not hold any more. With `wait_seconds` the call hangs until there is such a directive or `drain` changes, so
         *     that a cancellation arrives at once; never longer than `heartbeat_interval_seconds`, or than a quarter of the lease where `attempts` is empty.
         */
        post: operations["heartbeat"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workers/{worker_id}/claim": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `session` that the answer to the registration named. A call under a session that has ended gets 409. A
                 *     caller that sends none is taken for the worker's current session.
                 */
                "Worker-Session"?: components["parameters"]["WorkerSession"];
            };
            path: {
                /** @description The id of a worker. */
                worker_id: components["parameters"]["WorkerId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Claim the next task
         * @description The task of highest priority, then the oldest (what has waited for a day ranks one level higher, unless the operator says otherwise),
         *     among those that fit the worker and that nothing holds back (see `GET /api/v1/queue/explain`). The results of the tasks that it depends on come with it, as `dependencies`. With
         *     `wait_seconds` the call waits that long for a task. A claim that is repeated with the same `request_id` gets the same task again, so a lost answer
         *     strands nothing.
         */
        post: operations["claimTask"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workers/{worker_id}/claim-batch": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `session` that the answer to the registration named. A call under a session that has ended gets 409. A
                 *     caller that sends none is taken for the worker's current session.
                 */
                "Worker-Session"?: components["parameters"]["WorkerSession"];
            };
            path: {
                /** @description The id of a worker. */
                worker_id: components["parameters"]["WorkerId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Claim several tasks
         * @description Like `claim`, for up to `max_tasks` at once, and never more than the worker may still run. With `wait_seconds` the call
         *     waits for the first task, not for the rest. Repeated with the same `request_id` it gets the same tasks again. Tasks whose
         *     parameters would make more than 16 MiB together are left for the next call, as may be some that stand far behind others' tasks:
         *     fewer than `max_tasks` does not mean that there are no more. Of the results that the tasks depend on, 16 MiB come with them;
         *     the others are named in `dependencies_truncated`.
         *
         *     A worker that runs nothing may say `idle`, where its registration has `idle_claims`: then this call stands for its heartbeats too.
         *     The lease is kept for as long as it hangs, and it is answered, with `directives`, when the worker is to drain.
         */
        post: operations["claimTasks"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workers/{worker_id}/report": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `session` that the answer to the registration named. A call under a session that has ended gets 409. A
                 *     caller that sends none is taken for the worker's current session.
                 */
                "Worker-Session"?: components["parameters"]["WorkerSession"];
            };
            path: {
                /** @description The id of a worker. */
                worker_id: components["parameters"]["WorkerId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Report how several attempts ended
         * @description What `complete`, `fail` and `release` say of one attempt each, for many at once. Each report is taken or refused by
         *     itself; the answer says which, in their order. Repeated, it is answered as the first time and changes nothing. The body has
         *     at most 16 MiB, each result, as JSON without spaces, at most 1 MiB: one that has more gets `body_too_large` by itself.
         */
        post: operations["reportTasks"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workers/{worker_id}/tasks/{task_id}/complete": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `session` that the answer to the registration named. A call under a session that has ended gets 409. A
                 *     caller that sends none is taken for the worker's current session.
                 */
                "Worker-Session"?: components["parameters"]["WorkerSession"];
                /**
                 * @description The `attempt` that the claimed task named. A report for an attempt that does not hold its task any more gets 409.
                 *     A caller that sends none is taken for the current attempt.
                 */
                "Task-Attempt"?: components["parameters"]["TaskAttempt"];
            };
            path: {
                /** @description The id of a worker. */
                worker_id: components["parameters"]["WorkerId"];
                /** @description The id of a task. */
                task_id: components["parameters"]["TaskId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Report that a task completed
         * @description The body is the result. Repeated, it gets the first answer again and changes nothing.
         */
        post: operations["completeTask"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workers/{worker_id}/tasks/{task_id}/fail": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `session` that the answer to the registration named. A call under a session that has ended gets 409. A
                 *     caller that sends none is taken for the worker's current session.
                 */
                "Worker-Session"?: components["parameters"]["WorkerSession"];
                /**
                 * @description The `attempt` that the claimed task named. A report for an attempt that does not hold its task any more gets 409.
                 *     A caller that sends none is taken for the current attempt.
                 */
                "Task-Attempt"?: components["parameters"]["TaskAttempt"];
            };
            path: {
                /** @description The id of a worker. */
                worker_id: components["parameters"]["WorkerId"];
                /** @description The id of a task. */
                task_id: components["parameters"]["TaskId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Report that a task failed
         * @description The task has failed, or goes back to `pending` while its `max_attempts` allow another attempt, which begins after the wait
         *     that its `retry` asks for. `retryable: false` says that another attempt would fail, too; `retry_after_seconds` that it
         *     would before then. Repeated, it gets the first answer again and changes nothing.
         */
        post: operations["failTask"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workers/{worker_id}/tasks/{task_id}/release": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `session` that the answer to the registration named. A call under a session that has ended gets 409. A
                 *     caller that sends none is taken for the worker's current session.
                 */
                "Worker-Session"?: components["parameters"]["WorkerSession"];
                /**
                 * @description The `attempt` that the claimed task named. A report for an attempt that does not hold its task any more gets 409.
                 *     A caller that sends none is taken for the current attempt.
                 */
                "Task-Attempt"?: components["parameters"]["TaskAttempt"];
            };
            path: {
                /** @description The id of a worker. */
                worker_id: components["parameters"]["WorkerId"];
                /** @description The id of a task. */
                task_id: components["parameters"]["TaskId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Hand a task back unfinished
         * @description For a worker that leaves in good order. The task is `pending` again and the attempt does not count against
         *     `max_attempts` or `max_lost`. Repeated, it gets the task as it now is and changes nothing.
         */
        post: operations["releaseTask"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workers/{worker_id}/tasks/{task_id}/logs": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `session` that the answer to the registration named. A call under a session that has ended gets 409. A
                 *     caller that sends none is taken for the worker's current session.
                 */
                "Worker-Session"?: components["parameters"]["WorkerSession"];
                /**
                 * @description The `attempt` that the claimed task named. A report for an attempt that does not hold its task any more gets 409.
                 *     A caller that sends none is taken for the current attempt.
                 */
                "Task-Attempt"?: components["parameters"]["TaskAttempt"];
            };
            path: {
                /** @description The id of a worker. */
                worker_id: components["parameters"]["WorkerId"];
                /** @description The id of a task. */
                task_id: components["parameters"]["TaskId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Append lines to the log of a running task
         * @description `offset` says how many lines of this attempt were sent before this batch. With it a batch can be repeated
         *     safely: lines that are already there are skipped. An offset beyond what is there gets 409 `log_gap` with the
         *     `expected_offset`. Without it the lines are appended as they come.
         */
        post: operations["appendTaskLogs"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workers/{worker_id}/tasks/{task_id}/progress": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `session` that the answer to the registration named. A call under a session that has ended gets 409. A
                 *     caller that sends none is taken for the worker's current session.
                 */
                "Worker-Session"?: components["parameters"]["WorkerSession"];
                /**
                 * @description The `attempt` that the claimed task named. A report for an attempt that does not hold its task any more gets 409.
                 *     A caller that sends none is taken for the current attempt.
                 */
                "Task-Attempt"?: components["parameters"]["TaskAttempt"];
            };
            path: {
                /** @description The id of a worker. */
                worker_id: components["parameters"]["WorkerId"];
                /** @description The id of a task. */
                task_id: components["parameters"]["TaskId"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Say how far a running task is
         * @description What is sent takes the place of what the attempt said before; the last is kept for ever. Once a second is more than
         *     enough: whoever watches sees no more.
         */
        post: operations["reportTaskProgress"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workers/{worker_id}/tasks/{task_id}/artifacts": {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `session` that the answer to the registration named. A call under a session that has ended gets 409. A
                 *     caller that sends none is taken for the worker's current session.
                 */
                "Worker-Session"?: components["parameters"]["WorkerSession"];
                /**
                 * @description The `attempt` that the claimed task named. A report for an attempt that does not hold its task any more gets 409.
                 *     A caller that sends none is taken for the current attempt.
                 */
                "Task-Attempt"?: components["parameters"]["TaskAttempt"];
            };
            path: {
                /** @description The id of a worker. */
                worker_id: components["parameters"]["WorkerId"];
                /** @description The id of a task. */
                task_id: components["parameters"]["TaskId"];
            };
            cookie?: never;
        };
        get?: never;
        /**
         * Store a file of a running task
         * @description The body is the file, with its `Content-Length`. An answer of 201 means that it is stored durably, as long as the task:
         *     for ever. Repeated with the same bytes the call gets the same answer, and so it does after the attempt has ended, where
         *     `Task-Attempt` names it. A name stands for one file in an attempt: other bytes get 409 (`artifact_exists`).
         *
         *     How large a file may be, and how many files and bytes an attempt may leave, is set by the operator of the server. More
         *     gets 413 (`body_too_large`) or 409 (`artifact_quota_exceeded`). Nothing is left of an upload that did not end well.
         */
        put: operations["putTaskArtifact"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workers/internal/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show this process's own workers */
        get: operations["getInternalWorkers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workers/internal/scale": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Change the number of internal workers
         * @description `num_workers` stands in the body or in the query; where both are given, they must be equal. Workers that go hand
         *     their unfinished tasks back to the queue. It breaks off a start or another scaling that is under way, and answers
         *     after five seconds at most: `new_count` is how many there are then, the others follow when they can register.
         */
        post: operations["scaleInternalWorkers"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workers/internal/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Stop all internal workers
         * @description Unfinished tasks go back to the queue. Stopped workers stay stopped until they are started or scaled.
         */
        post: operations["stopInternalWorkers"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/workers/internal/start": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Start the internal workers
         * @description Starts as many as were last asked for (`NUM_INTERNAL_WORKERS` at first). Running ones stay as they are.
         */
        post: operations["startInternalWorkers"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Say what this is */
        get: operations["getRoot"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How the service is
         * @description `healthy`; `degraded` when the database answers but no worker is live; `unhealthy` (with status 503) when the
         *     database does not answer.
         */
        get: operations["getHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether this process can serve */
        get: operations["getReadiness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Metrics in the Prometheus text format */
        get: operations["getMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.yaml": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This contract as YAML */
        get: operations["getContractYaml"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This contract as JSON */
        get: operations["getContractJson"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/docs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This contract in Swagger UI */
        get: operations["getSwaggerUi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/redoc": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This contract in ReDoc */
        get: operations["getRedoc"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * Format: uuid
         * @description A UUID of version 7; ids sort by the time of submission.
         */
        TaskId: string;
        /** Format: uuid */
        Uuid: string;
        /** Format: uuid */
        NullableUuid: string | null;
        /** @description Visible ASCII. */
        IdempotencyKey: string;
        /** @description Up to 32 labels, each at most 1,024 bytes with its key. */
        Labels: {
            [key: string]: string;
        };
        LabelFilter: string;
        WorkerId: string;
        /** @description The name of a problem, in ASCII without white space or glob characters. */
        ProblemId: string;
        /** @description A problem id in which `*` stands for any run of characters and `?` for one. */
        ProblemGlob: string;
        /** @description The kind of backend that a worker owns (`kind`, `gpu`, ...). */
        BackendType: string;
        /** @enum {string} */
        TaskStatus: "pending" | "running" | "completed" | "failed" | "timeout" | "cancelled";
        /**
         * @description Why the task is in its status. Pending: `ready` (the next fitting worker takes it), `unclaimable` (no live worker
         *     takes it, but for those that drain or are unfit), `paused` (its problem or the queue is), `limited` (a limit is full), `scheduled` (its time has not come),
         *     `backing_off` (an attempt failed, the next one waits), `blocked` (on tasks that it depends on) or `reusing` (it waits for
         *     the result of an equal task). Failed: `task_failed` (its worker said so) or `workers_lost` (as many attempts as
         *     `max_lost` ended because their worker went away). Timeout: `timed_out`, or `expired` (it had not begun by its
         *     `expires_at`). Cancelled: `cancel_requested` or `dependency_failed`. Completed: `reused` where it took the result of
         *     another task, else null. Null when running.
         * @enum {string|null}
         */
        TaskReason: "ready" | "unclaimable" | "paused" | "limited" | "scheduled" | "backing_off" | "blocked" | "reusing" | "task_failed" | "workers_lost" | "timed_out" | "expired" | "cancel_requested" | "dependency_failed" | "reused" | null;
        /**
         * @description `offline` once its session has ended or its lease has lapsed, `busy` while it runs a task.
         * @enum {string}
         */
        WorkerStatus: "idle" | "busy" | "offline";
        /** @enum {string} */
        LogLevel: "debug" | "info" | "warning" | "error" | "critical";
        /**
         * @default -created_at
         * @enum {string}
         */
        TaskSort: "created_at" | "-created_at" | "updated_at" | "-updated_at" | "started_at" | "-started_at" | "completed_at" | "-completed_at";
        /** @description An opaque place in a list. */
        Cursor: string;
        /**
         * Format: date-time
         * @description A date and time of RFC 3339, in the years 0100 to 9998, without leap seconds and with an offset of less than 16 hours.
         */
        Moment: string;
        /** Format: date-time */
        Timestamp: string;
        /** Format: date-time */
        NullableTimestamp: string | null;
        /** @description Any JSON object. It may nest at most 64 levels deep, without NUL characters or numbers that would be rounded. */
        JsonObject: {
            [key: string]: unknown;
        };
        NullableJsonObject: {
            [key: string]: unknown;
        } | null;
        /** @description Higher goes first. */
        Priority: number;
        /** @description How long one attempt may run. */
        TimeoutSeconds: number;
        AttemptLimit: number;
        /** @description The number of an attempt, from 1. */
        Attempt: number;
        Count: number;
        Ratio: number;
        /**
         * @description Whether a task that failed or timed out is tried again, and after how long: `initial_seconds`, multiplied by `factor` for
         *     each further attempt, at most `max_seconds`, and shortened at random by up to the share `jitter`.
         */
        Retry: {
            /**
             * @description How many attempts may fail or time out before the task has.
             * @default 1
             */
            max_attempts?: number;
            /** @default 1 */
            initial_seconds?: number;
            /** @default 2 */
            factor?: number;
            /** @default 3600 */
            max_seconds?: number;
            /** @default 0.2 */
            jitter?: number;
        };
        /** @description What each task that a schedule submits is like. */
        TaskTemplate: {
            /** @description A name for people; at most 255 bytes. */
            name?: string | null;
            problem_id: components["schemas"]["ProblemId"];
            /**
             * @description What the task works on; handed to its executor as it is.
             * @default {}
             */
            parameters?: {
                [key: string]: unknown;
            };
            labels?: components["schemas"]["Labels"];
            /** @description Higher goes first; the server's `DEFAULT_PRIORITY` (5) where absent. */
            priority?: number;
            /**
             * @description Only workers with this backend may run the task; null means any.
             * @default null
             */
            backend_type?: string | null;
            /** @description How long one attempt may run; the server's `DEFAULT_TIMEOUT_MINUTES` (30) where absent. */
            timeout_seconds?: number;
            /**
             * @description After how many attempts lost with their worker the task has failed.
             * @default 3
             */
            max_lost?: number;
            retry?: components["schemas"]["Retry"];
        };
        TaskSubmission: {
            /** @description A name for people; at most 255 bytes. */
            name?: string | null;
            problem_id: components["schemas"]["ProblemId"];
            /**
             * @description What the task works on; handed to its executor as it is.
             * @default {}
             */
            parameters?: {
                [key: string]: unknown;
            };
            labels?: components["schemas"]["Labels"];
            /** @description Higher goes first; the server's `DEFAULT_PRIORITY` (5) where absent. */
            priority?: number;
            /**
             * @description Only workers with this backend may run the task; null means any.
             * @default null
             */
            backend_type?: string | null;
            /** @description How long one attempt may run; the server's `DEFAULT_TIMEOUT_MINUTES` (30) where absent. */
            timeout_seconds?: number;
            /**
             * @description After how many attempts lost with their worker the task has failed.
             * @default 3
             */
            max_lost?: number;
            retry?: components["schemas"]["Retry"];
            /**
             * Format: date-time
             * @description Not before this moment. Not together with `delay_seconds`.
             */
            run_at?: string | null;
            /** @description Not before so many seconds have passed, by the server's clock. */
            delay_seconds?: number;
            /**
             * Format: date-time
             * @description A task that has not begun by then ends as `timeout`, with the reason `expired`.
             */
            expires_at?: string | null;
            /** @description Ids of tasks that have to complete first; their results are delivered with the claim, under their ids. */
            depends_on?: components["schemas"]["TaskId"][];
            /**
             * @description What becomes of the task when one that it depends on does not complete.
             * @default cancel
             * @enum {string}
             */
            on_dependency_failure?: "cancel" | "run_anyway";
            /** @description While a task with this key has not ended, submitting another gives that one. At most 255 bytes. */
            dedupe_key?: string | null;
            /**
             * @description Take the result of an equal task (the same problem, canonically equal parameters) that completed no longer ago than
             *     this: the new task is completed at once, with the reason `reused`. An equal task that has not ended is waited for.
             *     Of equal tasks that run themselves the last hundred are looked at.
             */
            reuse?: {
                max_age_seconds: number;
            };
        };
        BatchItem: {
            idempotency_key?: components["schemas"]["IdempotencyKey"];
            /** @description A name for people; at most 255 bytes. */
            name?: string | null;
            problem_id: components["schemas"]["ProblemId"];
            /**
             * @description What the task works on; handed to its executor as it is.
             * @default {}
             */
            parameters?: {
                [key: string]: unknown;
            };
            labels?: components["schemas"]["Labels"];
            /** @description Higher goes first; the server's `DEFAULT_PRIORITY` (5) where absent. */
            priority?: number;
            /**
             * @description Only workers with this backend may run the task; null means any.
             * @default null
             */
            backend_type?: string | null;
            /** @description How long one attempt may run; the server's `DEFAULT_TIMEOUT_MINUTES` (30) where absent. */
            timeout_seconds?: number;
            /**
             * @description After how many attempts lost with their worker the task has failed.
             * @default 3
             */
            max_lost?: number;
            retry?: components["schemas"]["Retry"];
            /**
             * Format: date-time
             * @description Not before this moment. Not together with `delay_seconds`.
             */
            run_at?: string | null;
            /** @description Not before so many seconds have passed, by the server's clock. */
            delay_seconds?: number;
            /**
             * Format: date-time
             * @description A task that has not begun by then ends as `timeout`, with the reason `expired`.
             */
            expires_at?: string | null;
            /** @description Ids of tasks that have to complete first; their results are delivered with the claim, under their ids. */
            depends_on?: components["schemas"]["TaskId"][];
            /**
             * @description What becomes of the task when one that it depends on does not complete.
             * @default cancel
             * @enum {string}
             */
            on_dependency_failure?: "cancel" | "run_anyway";
            /** @description While a task with this key has not ended, submitting another gives that one. At most 255 bytes. */
            dedupe_key?: string | null;
            /**
             * @description Take the result of an equal task (the same problem, canonically equal parameters) that completed no longer ago than
             *     this: the new task is completed at once, with the reason `reused`. An equal task that has not ended is waited for.
             *     Of equal tasks that run themselves the last hundred are looked at.
             */
            reuse?: {
                max_age_seconds: number;
            };
        };
        TaskBatch: {
            tasks: components["schemas"]["BatchItem"][];
        };
        TaskBatchResult: {
            /** @description How many tasks are new. */
            created: number;
            tasks: {
                id: components["schemas"]["TaskId"];
                /** @description False where an earlier task stands for the item, by its `idempotency_key` or its `dedupe_key`. */
                created: boolean;
            }[];
        };
        TaskAdjustment: {
            priority?: components["schemas"]["Priority"];
            /**
             * Format: date-time
             * @description Not before this moment.
             */
            run_at?: string;
        };
        Task: {
            id: components["schemas"]["TaskId"];
            problem_id: components["schemas"]["ProblemId"];
            status: components["schemas"]["TaskStatus"];
            reason: components["schemas"]["TaskReason"];
            name: string | null;
            parameters: components["schemas"]["JsonObject"];
            labels: components["schemas"]["Labels"];
            priority: components["schemas"]["Priority"];
            backend_type: string | null;
            timeout_seconds: components["schemas"]["TimeoutSeconds"];
            /** @description The number of the current or last attempt; 0 before the first. */
            attempt: number;
            max_attempts: components["schemas"]["AttemptLimit"];
            max_lost: components["schemas"]["AttemptLimit"];
            retry: components["schemas"]["Retry"];
            /** @description The moment before which the task does not run (again); null where there is none. */
            run_at: components["schemas"]["NullableTimestamp"];
            expires_at: components["schemas"]["NullableTimestamp"];
            /** @description The task that this one runs again. */
            retry_of: components["schemas"]["NullableUuid"];
            workflow_id: components["schemas"]["NullableUuid"];
            schedule_id: components["schemas"]["NullableUuid"];
            dedupe_key: string | null;
            /** @description The task whose result this one took. */
            reused_from: components["schemas"]["NullableUuid"];
            /**
             * @description In the answer to a claim: the results of the tasks that this one depends on, by their names in the workflow or by
             *     their ids; null for one that did not complete, or whose result was left out. For a retry, by the names or ids that the first task had.
             */
            dependencies?: {
                [key: string]: components["schemas"]["NullableJsonObject"];
            };
            /**
             * @description Names whose result was left out, because those of the task are larger than 4 MiB together, or those of all tasks of the claim
             *     than 16 MiB. Read each with `GET /api/v1/tasks/{task_id}`, by the id in `dependency_task_ids`, before the task begins.
             */
            dependencies_truncated?: string[];
            /** @description By each name in `dependencies_truncated`, the task whose result it is. */
            dependency_task_ids?: {
                [key: string]: components["schemas"]["TaskId"];
            };
            /** @description In the answer to a submission, what its submitter should know at once. */
            warnings?: string[];
            /** @description The worker that runs the task, or the last that ran it; null while it is pending. */
            worker_id: string | null;
            /** @description What was said last of how far it is, and by which attempt; null where nothing was. */
            progress: components["schemas"]["TaskProgress"];
            result: components["schemas"]["NullableJsonObject"];
            /** @description What went wrong, in words, when the task did not complete. */
            error_details: string | null;
            created_at: components["schemas"]["Timestamp"];
            updated_at: components["schemas"]["Timestamp"];
            started_at: components["schemas"]["NullableTimestamp"];
            completed_at: components["schemas"]["NullableTimestamp"];
        };
        TaskList: {
            tasks: components["schemas"]["Task"][];
            total: components["schemas"]["Count"];
            /** @description True when several filters match more than 10,000 tasks; `total` is then 10,000. */
            total_is_lower_bound: boolean;
            page: number;
            page_size: number;
            /** @description Where the next page begins; null on the last. */
            next_cursor: string | null;
        };
        TaskStats: {
            total_tasks: components["schemas"]["Count"];
            pending_tasks: components["schemas"]["Count"];
            running_tasks: components["schemas"]["Count"];
            completed_tasks: components["schemas"]["Count"];
            failed_tasks: components["schemas"]["Count"];
            timeout_tasks: components["schemas"]["Count"];
            cancelled_tasks: components["schemas"]["Count"];
            /** @description The mean duration in seconds of the last attempts of completed tasks; 0 where there is none. */
            avg_execution_time: number;
            /** @description Completed tasks among those that ended as completed, failed or timeout; 0 where there is none. */
            success_rate: components["schemas"]["Ratio"];
            /** @description How many tasks each problem has; the 1,000 problems with most. */
            tasks_by_problem: {
                [key: string]: components["schemas"]["Count"];
            };
            /** @description How many tasks ended on each worker; the 1,000 workers with most. */
            tasks_by_worker: {
                [key: string]: components["schemas"]["Count"];
            };
        };
        TaskLogPage: {
            logs: components["schemas"]["LogLine"][];
            total: components["schemas"]["Count"];
            /** @description True when more than 10,000 lines have the asked level; `total` is then 10,000. */
            total_is_lower_bound: boolean;
            next_cursor: components["schemas"]["Cursor"];
            /** @description Whether more lines are there already. */
            has_more: boolean;
        };
        LogLine: {
            /** @description The number of the line within its task, from 1, without gaps. */
            id: number;
            task_id: components["schemas"]["TaskId"];
            attempt: components["schemas"]["Attempt"];
            timestamp: components["schemas"]["Timestamp"];
            level: components["schemas"]["LogLevel"];
            message: string;
            context: components["schemas"]["NullableJsonObject"];
        };
        LogBatch: {
            /** @description How many lines of this attempt came before this batch. */
            offset?: number;
            entries: components["schemas"]["LogEntry"][];
        };
        LogEntry: {
            /**
             * @default info
             * @enum {string}
             */
            level?: "debug" | "info" | "warning" | "error" | "critical";
            message: string;
            context?: components["schemas"]["NullableJsonObject"];
            /**
             * Format: date-time
             * @description When the line was written, by the worker's clock; the time of arrival where absent.
             */
            timestamp?: string;
        };
        LogReceipt: {
            /** @description How many lines of the batch were new. */
            accepted: number;
            /** @description How many lines of this attempt are stored now. */
            next_offset: number;
        };
        /** @description How far an attempt is; at least one of these. */
        Progress: {
            step?: components["schemas"]["StepCount"];
            total?: components["schemas"]["StepCount"];
            /** @description What it is doing, in words. */
            message?: string;
            metrics?: components["schemas"]["ProgressMetrics"];
        };
        /** @description Steps done, or of how many; in units of the task's own, such as turns, epochs or bytes. */
        StepCount: number;
        /** @description Numbers of the task's own, by name. */
        ProgressMetrics: {
            [key: string]: number;
        };
        TaskProgress: {
            attempt: components["schemas"]["Attempt"];
            step: number | null;
            total: number | null;
            message: string | null;
            metrics: components["schemas"]["ProgressMetrics"];
            updated_at: components["schemas"]["Timestamp"];
        } | null;
        /** @description An event of the stream. */
        TaskEvent: {
            id: string;
            /** @enum {string} */
            event: "status" | "progress" | "log";
            /** @description By the kind of event. */
            data: {
                [key: string]: unknown;
            } & (components["schemas"]["TaskStatusEvent"] | components["schemas"]["TaskProgress"] | components["schemas"]["LogLine"]);
        };
        /** @description How the task stands. Its result is read with `GET /api/v1/tasks/{task_id}`. */
        TaskStatusEvent: {
            task_id: components["schemas"]["TaskId"];
            status: components["schemas"]["TaskStatus"];
            reason: components["schemas"]["TaskReason"];
            attempt: number;
            worker_id: string | null;
            updated_at: components["schemas"]["Timestamp"];
        };
        /** @description A relative path with `/` between its parts; no part is empty, `.` or `..`, and none has control characters or `\`. */
        ArtifactName: string;
        /** @default application/octet-stream */
        MediaType: string;
        /** @description A file that an attempt left. */
        Artifact: {
            id: components["schemas"]["Uuid"];
            task_id: components["schemas"]["TaskId"];
            attempt: components["schemas"]["Attempt"];
            name: components["schemas"]["ArtifactName"];
            bytes: number;
            /** @description In hexadecimal. */
            sha256: string;
            content_type: components["schemas"]["MediaType"];
            created_at: components["schemas"]["Timestamp"];
        };
        ArtifactList: {
            artifacts: components["schemas"]["Artifact"][];
            /** @description Where the next page begins; null on the last. */
            next_cursor: string | null;
        };
        AttemptRecord: {
            attempt: components["schemas"]["Attempt"];
            worker_id: components["schemas"]["WorkerId"];
            started_at: components["schemas"]["Timestamp"];
            ended_at: components["schemas"]["NullableTimestamp"];
            /** @description How it ended; null while it runs. */
            outcome: components["schemas"]["AttemptOutcome"];
            error_details: string | null;
            /** @description What it said last of how far it is. */
            progress: components["schemas"]["TaskProgress"];
            /** @description What its worker reported when it did not hold the task any more. */
            late: {
                /** @enum {string} */
                outcome: "completed" | "failed";
                reported_at: components["schemas"]["Timestamp"];
                result: components["schemas"]["NullableJsonObject"];
                error_details: string | null;
            } | null;
        };
        /**
         * @description `lost` where its worker went away, `released` where it handed the task back; neither ends the task by itself.
         * @enum {string|null}
         */
        AttemptOutcome: "completed" | "failed" | "timeout" | "cancelled" | "lost" | "released" | null;
        AttemptList: {
            attempts: components["schemas"]["AttemptRecord"][];
            /** @description Where the next page begins; null on the last. */
            next_cursor: string | null;
        };
        /** @description A line of the export; which of its parts are there goes by `type`. */
        ExportLine: {
            /** @enum {string} */
            type: "task" | "attempt" | "log";
            /** @description On the line of a task, where to go on after it. */
            cursor?: components["schemas"]["Cursor"];
            task?: components["schemas"]["Task"];
            /** @description On the line of an attempt, whose it is. */
            task_id?: components["schemas"]["TaskId"];
            attempt?: components["schemas"]["AttemptRecord"];
            line?: components["schemas"]["LogLine"];
        };
        /** @description Something that holds a task back. The properties beyond the first two go by `kind`. */
        Constraint: {
            /** @enum {string} */
            kind: "dependencies" | "reuse" | "schedule" | "backoff" | "expired" | "pause" | "limit" | "no_worker" | "busy_workers";
            /** @description The constraint in words. */
            message: string;
            until?: components["schemas"]["NullableTimestamp"];
            task_id?: components["schemas"]["TaskId"];
            /** @description What is paused; null is the whole queue. */
            problem_id?: string | null;
            /** @description The first 100 tasks that are waited for, by name. */
            dependencies?: {
                name: string;
                task_id: components["schemas"]["TaskId"];
                status: components["schemas"]["TaskStatus"];
            }[];
            limit_id?: components["schemas"]["Uuid"];
            max_running?: components["schemas"]["Count"];
            running?: components["schemas"]["Count"];
            /** @description The tasks that have run longest under the limit. */
            holders?: {
                task_id: components["schemas"]["TaskId"];
                worker_id: components["schemas"]["WorkerId"];
            }[];
            /**
             * @description Live workers, those that take the task, those of them that drain, those of the others that are unfit (by the text `unfit`
             *     in their metadata, until a task begins on them), and the slots of the rest.
             */
            workers?: {
                live: components["schemas"]["Count"];
                fitting: components["schemas"]["Count"];
                draining: components["schemas"]["Count"];
                unfit: components["schemas"]["Count"];
                slots: components["schemas"]["Count"];
                free: components["schemas"]["Count"];
            };
        };
        TaskExplanation: {
            task_id: components["schemas"]["TaskId"];
            status: components["schemas"]["TaskStatus"];
            reason: components["schemas"]["TaskReason"];
            summary: string;
            constraints: components["schemas"]["Constraint"][];
            /**
             * @description Its place among the pending tasks that wait for nothing of their own, from 1; null where it is none of them. Paused tasks,
             *     and those that no worker takes, have a place as well.
             */
            position: number | null;
            /**
             * @description Whether 10,000 tasks rank before it, beyond which none is looked at; `ahead` is a lower bound then, too. Also true where only
             *     `ahead` is one: the tasks before it are of more than 1,000 problems, or its workers have more than 1,000 different globs, of
             *     which the largest problems and the shortest globs are compared.
             */
            position_is_lower_bound: boolean;
            /**
             * @description Of the tasks that rank before it, those that the workers which take it take as well; not those that are paused or have
             *     expired, and whatever limits they fall under. Null where `position` is.
             */
            ahead: number | null;
            /**
             * @description When it will start, at the earliest and at the latest, if the slots of the workers that take it work off what `ahead`
             *     counts, as fast as earlier tasks were done; null where that cannot be said. Tasks beyond the first 10,000 are not
             *     counted, so that behind more of them it starts later.
             */
            estimated_start: {
                earliest: components["schemas"]["Timestamp"];
                latest: components["schemas"]["Timestamp"];
            } | null;
        };
        /**
         * @description Running until every task has ended; then `failed` where one failed or timed out, `cancelled` where one was cancelled.
         * @enum {string}
         */
        WorkflowStatus: "running" | "completed" | "failed" | "cancelled";
        WorkflowTask: {
            /** @description What the others call it in `depends_on`. */
            name: string;
            problem_id: components["schemas"]["ProblemId"];
            /**
             * @description What the task works on; handed to its executor as it is.
             * @default {}
             */
            parameters?: {
                [key: string]: unknown;
            };
            labels?: components["schemas"]["Labels"];
            /** @description Higher goes first; the server's `DEFAULT_PRIORITY` (5) where absent. */
            priority?: number;
            /**
             * @description Only workers with this backend may run the task; null means any.
             * @default null
             */
            backend_type?: string | null;
            /** @description How long one attempt may run; the server's `DEFAULT_TIMEOUT_MINUTES` (30) where absent. */
            timeout_seconds?: number;
            /**
             * @description After how many attempts lost with their worker the task has failed.
             * @default 3
             */
            max_lost?: number;
            retry?: components["schemas"]["Retry"];
            /**
             * Format: date-time
             * @description Not before this moment. Not together with `delay_seconds`.
             */
            run_at?: string | null;
            /** @description Not before so many seconds have passed, by the server's clock. */
            delay_seconds?: number;
            /**
             * Format: date-time
             * @description A task that has not begun by then ends as `timeout`, with the reason `expired`.
             */
            expires_at?: string | null;
            /** @description Names of tasks that have to complete first. */
            depends_on?: string[];
            /**
             * @description What becomes of the task when one that it depends on does not complete.
             * @default cancel
             * @enum {string}
             */
            on_dependency_failure?: "cancel" | "run_anyway";
        };
        WorkflowSubmission: {
            name?: string | null;
            /** @description Labels of the workflow and of each of its tasks. */
            labels?: components["schemas"]["Labels"];
            tasks: components["schemas"]["WorkflowTask"][];
        };
        Workflow: {
            id: components["schemas"]["Uuid"];
            name: string | null;
            labels: components["schemas"]["Labels"];
            status: components["schemas"]["WorkflowStatus"];
            /** @description How many of its tasks are in which status. */
            progress: {
                total: components["schemas"]["Count"];
                pending: components["schemas"]["Count"];
                running: components["schemas"]["Count"];
                completed: components["schemas"]["Count"];
                failed: components["schemas"]["Count"];
                timeout: components["schemas"]["Count"];
                cancelled: components["schemas"]["Count"];
            };
            /** @description The workflow of which this one runs again what did not complete. */
            retry_of: components["schemas"]["NullableUuid"];
            created_at: components["schemas"]["Timestamp"];
            completed_at: components["schemas"]["NullableTimestamp"];
            tasks: {
                name: string;
                task_id: components["schemas"]["TaskId"];
                problem_id: components["schemas"]["ProblemId"];
                status: components["schemas"]["TaskStatus"];
                /** @description As of the task itself; null where it is pending and waits for nothing of its own. */
                reason: components["schemas"]["TaskReason"];
                retry_of: components["schemas"]["NullableUuid"];
                depends_on: {
                    name: string;
                    task_id: components["schemas"]["TaskId"];
                }[];
            }[];
        };
        ScheduleSubmission: {
            name?: string | null;
            /** @description A cron expression with five fields, or six with seconds first. */
            cron: string;
            /** @description A time zone of the IANA database that the expression is meant in; `UTC` where absent. */
            timezone?: string;
            task: components["schemas"]["TaskTemplate"];
            /**
             * @description What happens while the last task has not ended; `skip` where absent.
             * @enum {string}
             */
            overlap?: "allow" | "skip";
            /**
             * @description What happens after an outage; `run_once` where absent.
             * @enum {string}
             */
            misfire?: "run_once" | "skip";
            paused?: boolean;
        };
        ScheduleChange: {
            name?: string | null;
            /** @description A cron expression with five fields, or six with seconds first. */
            cron?: string;
            /** @description A time zone of the IANA database that the expression is meant in; `UTC` where absent. */
            timezone?: string;
            task?: components["schemas"]["TaskTemplate"];
            /**
             * @description What happens while the last task has not ended; `skip` where absent.
             * @enum {string}
             */
            overlap?: "allow" | "skip";
            /**
             * @description What happens after an outage; `run_once` where absent.
             * @enum {string}
             */
            misfire?: "run_once" | "skip";
            paused?: boolean;
        };
        Schedule: {
            id: components["schemas"]["Uuid"];
            name: string | null;
            /** @description A cron expression with five fields, or six with seconds first. */
            cron: string;
            /** @description A time zone of the IANA database that the expression is meant in; `UTC` where absent. */
            timezone: string;
            task: components["schemas"]["TaskTemplate"];
            /**
             * @description What happens while the last task has not ended; `skip` where absent.
             * @enum {string}
             */
            overlap: "allow" | "skip";
            /**
             * @description What happens after an outage; `run_once` where absent.
             * @enum {string}
             */
            misfire: "run_once" | "skip";
            paused: boolean;
            /** @description The next five; none while it is paused. */
            next_runs: components["schemas"]["Timestamp"][];
            last_run_at: components["schemas"]["NullableTimestamp"];
            last_task_id: components["schemas"]["NullableUuid"];
            /** @description How many tasks it has submitted. */
            fires: components["schemas"]["Count"];
            /** @description How many fires were left out, by `overlap` or `misfire`. */
            skips: components["schemas"]["Count"];
            created_at: components["schemas"]["Timestamp"];
            updated_at: components["schemas"]["Timestamp"];
        };
        ScheduleList: {
            schedules: components["schemas"]["Schedule"][];
            /** @description Where the next page begins; null on the last. */
            next_cursor: string | null;
        };
        /** @description Which tasks are meant, as in the list; all conditions have to hold. */
        TaskFilter: {
            status?: components["schemas"]["TaskStatus"][];
            problem_id?: components["schemas"]["ProblemId"];
            problem_glob?: components["schemas"]["ProblemGlob"];
            worker_id?: components["schemas"]["WorkerId"];
            workflow_id?: components["schemas"]["Uuid"];
            schedule_id?: components["schemas"]["Uuid"];
            labels?: {
                [key: string]: string;
            };
            created_from?: components["schemas"]["Moment"];
            created_before?: components["schemas"]["Moment"];
            completed_from?: components["schemas"]["Moment"];
            completed_before?: components["schemas"]["Moment"];
        };
        BulkSubmission: {
            /** @enum {string} */
            action: "cancel" | "retry";
            filter: components["schemas"]["TaskFilter"];
        };
        /** @enum {string} */
        BulkState: "running" | "done" | "stopped";
        BulkOperationList: {
            bulk_operations: components["schemas"]["BulkOperation"][];
            /** @description Where the next page begins; null on the last. */
            next_cursor: string | null;
        };
        BulkOperation: {
            id: components["schemas"]["Uuid"];
            /** @enum {string} */
            action: "cancel" | "retry";
            state: components["schemas"]["BulkState"];
            /** @description How many tasks that fit the filter were looked at. */
            examined: components["schemas"]["Count"];
            /** @description How many of them were cancelled or retried. */
            changed: components["schemas"]["Count"];
            /**
             * @description How many of them were left as they are: those that ended before their turn to be cancelled, and of those to be retried the ones
             *     that have been retried already, that depend on a task that did not complete and is not retried, whose retries would wait for
             *     each other, or whose `dedupe_key` another task has that has not ended.
             */
            skipped: components["schemas"]["Count"];
            created_at: components["schemas"]["Timestamp"];
            updated_at: components["schemas"]["Timestamp"];
            ended_at: components["schemas"]["NullableTimestamp"];
        };
        /** @description `problem_id`, `backend_type` (of the worker), or `label:` and the key of a label. */
        LimitKey: string;
        MaxRunning: number;
        LimitSubmission: {
            key: components["schemas"]["LimitKey"];
            /**
             * @description The one value that the limit is about, whole: `*` and `?` stand for nothing else here. Null or absent, each value has the
             *     limit for itself. A value that nothing can have (no problem id for `problem_id`, for one) gets 422.
             */
            value?: string | null;
            max_running: components["schemas"]["MaxRunning"];
        };
        LimitChange: {
            max_running: components["schemas"]["MaxRunning"];
        };
        Limit: {
            id: components["schemas"]["Uuid"];
            key: components["schemas"]["LimitKey"];
            value: string | null;
            max_running: components["schemas"]["MaxRunning"];
            /** @description The values with most tasks running, at most 100. */
            in_use: {
                value: string;
                running: components["schemas"]["Count"];
            }[];
            created_at: components["schemas"]["Timestamp"];
            updated_at: components["schemas"]["Timestamp"];
        };
        LimitList: {
            limits: components["schemas"]["Limit"][];
        };
        PauseSubmission: {
            problem_id?: components["schemas"]["ProblemId"];
            /** @description Shown to whoever asks why. */
            reason?: string;
        };
        Resumption: {
            problem_id?: components["schemas"]["ProblemId"];
        };
        Resumed: {
            resumed: boolean;
        };
        Pause: {
            /** @description Null is the whole queue. */
            problem_id: string | null;
            reason: string | null;
            paused_at: components["schemas"]["Timestamp"];
        };
        PauseList: {
            pauses: components["schemas"]["Pause"][];
        };
        Seconds: number;
        QueueExplanation: {
            pending: components["schemas"]["Count"];
            running: components["schemas"]["Count"];
            /** @description The pending tasks by reason, and how long the longest has been waiting for it. */
            by_reason: {
                [key: string]: {
                    tasks: components["schemas"]["Count"];
                    oldest_seconds: components["schemas"]["Seconds"];
                };
            };
            /** @description The 100 problems and reasons with most pending tasks. */
            largest: {
                reason: components["schemas"]["TaskReason"];
                problem_id: components["schemas"]["ProblemId"];
                tasks: components["schemas"]["Count"];
                oldest_seconds: components["schemas"]["Seconds"];
            }[];
            pauses: components["schemas"]["Pause"][];
            limits: components["schemas"]["Limit"][];
        };
        Capabilities: {
            /**
             * @description How many tasks the worker runs at a time.
             * @default 1
             */
            max_parallel_tasks?: number;
            /**
             * @description Globs of the problems that the worker takes; none means all.
             * @default []
             */
            supported_problems?: components["schemas"]["ProblemGlob"][];
        };
        WorkerRegistration: {
            worker_id?: components["schemas"]["WorkerId"];
            /**
             * Format: uuid
             * @description A random UUID that the client makes for this registration, the same for each of its tries: the id of the session that it
             *     starts. While that session is live, the registration is a copy: it renews the lease and changes nothing else. Once it has
             *     ended, or where it is that of another worker than the one that is named, it gets 409 `session_ended`, and the next
             *     registration takes a new one. Without it the server makes one, and each registration starts a session.
             */
            session?: string;
            backend_type: components["schemas"]["BackendType"];
            capabilities?: components["schemas"]["Capabilities"];
            /**
             * @description Whatever helps to find the worker (host, version, ...); at most 16 KiB. A text `unfit` says why the worker claims nothing
             *     before it registers anew, or a heartbeat says otherwise: explanations and the reason `unclaimable` go by it until a task
             *     begins on the worker, claims do not.
             * @default {}
             */
            metadata?: {
                [key: string]: unknown;
            };
        };
        Worker: {
            id: components["schemas"]["WorkerId"];
            backend_type: components["schemas"]["BackendType"];
            status: components["schemas"]["WorkerStatus"];
            /** @description Whether it is to finish what it runs and gets nothing more. */
            draining: boolean;
            last_heartbeat: components["schemas"]["Timestamp"];
            /**
             * Format: uuid
             * @description The task it runs; the one started first where there are several.
             */
            current_task_id: string | null;
            running_tasks: number;
            capabilities: components["schemas"]["Capabilities"];
            metadata: components["schemas"]["JsonObject"];
            tasks_completed: components["schemas"]["Count"];
            tasks_failed: components["schemas"]["Count"];
            registered_at: components["schemas"]["Timestamp"];
        };
        WorkerList: {
            workers: components["schemas"]["Worker"][];
            total: components["schemas"]["Count"];
            /** @description Where the next page begins; null on the last. */
            next_cursor: string | null;
        };
        /** @description A worker with its session, the intervals that the server asks for, and directives. */
        WorkerSession: {
            id: components["schemas"]["WorkerId"];
            backend_type: components["schemas"]["BackendType"];
            status: components["schemas"]["WorkerStatus"];
            /** @description Whether it is to finish what it runs and gets nothing more. */
            draining: boolean;
            last_heartbeat: components["schemas"]["Timestamp"];
            /** Format: uuid */
            current_task_id: string | null;
            running_tasks: number;
            capabilities: components["schemas"]["Capabilities"];
            metadata: components["schemas"]["JsonObject"];
            tasks_completed: components["schemas"]["Count"];
            tasks_failed: components["schemas"]["Count"];
            registered_at: components["schemas"]["Timestamp"];
            /**
             * Format: uuid
             * @description To be sent as `Worker-Session` with every call.
             */
            session: string;
            /** @description After how long without a call the worker is offline and its tasks are lost. */
            lease_seconds: number;
            /** @description How often to send a heartbeat. */
            heartbeat_interval_seconds: number;
            /** @description How long a claim should wait for a task. */
            claim_wait_seconds?: number;
            /** @description Whether `idle` may be said with `claim-batch`. */
            idle_claims?: boolean;
            directives: components["schemas"]["Directives"];
        };
        /** @description What the server asks of the worker, about the attempts that it named. */
        Directives: {
            /** @description Stop these; their task has ended. */
            cancel: components["schemas"]["Directive"][];
            /** @description Stop these; this worker does not hold them. */
            lost: components["schemas"]["Directive"][];
            /**
             * @description Attempts that this session holds and that the heartbeat, which has `attempts`, does not name; absent where there are
             *     none. One that is there twice running, and that no claim under way can bring, is not known to the worker: release it.
             */
            unnamed?: components["schemas"]["UnnamedAttempt"][];
            /** @description Finish what runs and claim nothing more. */
            drain: boolean;
        };
        UnnamedAttempt: {
            task_id: components["schemas"]["TaskId"];
            attempt: components["schemas"]["Attempt"];
            /** @description Of the claim that took it; null where that had none. */
            request_id: string | null;
        };
        Directive: {
            task_id: components["schemas"]["TaskId"];
            /** @description The attempt that the worker named; null where it named none. */
            attempt: number | null;
            /**
             * @description How the task stands now.
             * @enum {string}
             */
            reason: "pending" | "running" | "completed" | "failed" | "timeout" | "cancelled" | "unknown";
        };
        Heartbeat: {
            /** @description How the worker sees itself. The API goes by what it holds; this is for simple clients. */
            status?: components["schemas"]["WorkerStatus"];
            /**
             * Format: uuid
             * @description The task that the worker runs; for workers that run one at a time.
             */
            current_task_id?: string | null;
            /** @description Every attempt that the worker runs. */
            attempts?: components["schemas"]["RunningAttempt"][];
            /**
             * @description Takes the place of what the worker registered with, as a whole; what it runs, it keeps. A claim that hangs goes by
             *     what was there when it came.
             */
            capabilities?: components["schemas"]["Capabilities"];
            /**
             * @description Why the worker claims nothing for now, in place of the text `unfit` of its metadata; null: nothing keeps it from that, and
             *     its metadata have no `unfit`. To be sent when it changes. Absent, it stays as it is.
             */
            unfit?: string | null;
            /**
             * @description What `drain` the worker was told last. Where it is otherwise now, a heartbeat that hangs is answered at once; without
             *     it, where it changes while the heartbeat hangs.
             */
            draining?: boolean;
            /**
             * @description How long to wait for a directive. At most the heartbeat interval counts; where `attempts` is empty, a quarter of the lease.
             * @default 0
             */
            wait_seconds?: number;
        };
        RunningAttempt: {
            task_id: components["schemas"]["TaskId"];
            attempt: components["schemas"]["Attempt"];
        };
        Claim: {
            /**
             * @description How long to wait for a task. `claim_wait_seconds` of the registration says what is good here.
             * @default 0
             */
            wait_seconds?: number;
            /** @description The worker's own, new for each claim and the same for its repetitions. */
            request_id?: string;
        };
        Failure: {
            /** @description What went wrong, in words. */
            error: string;
            /**
             * @description False where another attempt would fail, too.
             * @default true
             */
            retryable?: boolean;
            /** @description How long to wait before another attempt, whatever the task's `retry` says. */
            retry_after_seconds?: number;
        };
        Release: {
            /** @description Why the worker hands the task back; kept on the attempt. */
            reason?: string;
        };
        BatchClaim: {
            /**
             * @description How many tasks at most.
             * @default 10
             */
            max_tasks?: number;
            /**
             * @description How long to wait for a first task. `claim_wait_seconds` of the registration says what is good here, `next_wait_seconds` of the
             *     last answer what is good for one with `idle`; of one without, at most 120 count.
             * @default 0
             */
            wait_seconds?: number;
            /** @description The worker's own, new for each claim and the same for its repetitions. */
            request_id?: string;
            /**
             * @description The worker runs nothing, and sends no heartbeat before this call is answered.
             * @default false
             */
            idle?: boolean;
        };
        ClaimedTasks: {
            tasks: components["schemas"]["Task"][];
            /**
             * @description How long the call had hung when it last renewed the lease, where there are tasks with their claim: so long after it was made the
             *     lease begins, and no later than the answer came. Only after `idle`.
             */
            waited_seconds?: number;
            /** @description How long the next claim with `idle` should wait, where that is longer than `claim_wait_seconds`. */
            next_wait_seconds?: number;
            /** @description How long the lease is, as of now. Only after `idle`. */
            lease_seconds?: number;
            /** @description How often to send a heartbeat once something runs, as of now. Only after `idle`. */
            heartbeat_interval_seconds?: number;
            directives?: components["schemas"]["Directives"];
        };
        ReportBatch: {
            reports: ({
                [key: string]: unknown;
            } & (components["schemas"]["CompletedReport"] | components["schemas"]["FailedReport"] | components["schemas"]["ReleasedReport"]))[];
        };
        CompletedReport: {
            task_id: components["schemas"]["TaskId"];
            attempt: components["schemas"]["Attempt"];
            /** @constant */
            outcome: "completed";
            result: components["schemas"]["JsonObject"];
        };
        FailedReport: {
            task_id: components["schemas"]["TaskId"];
            attempt: components["schemas"]["Attempt"];
            /** @constant */
            outcome: "failed";
            /** @description What went wrong, in words. */
            error: string;
            /** @description False where another attempt would fail, too; true where it is left out. */
            retryable?: boolean;
            /** @description How long to wait before another attempt, whatever the task's `retry` says. */
            retry_after_seconds?: number;
        };
        ReleasedReport: {
            task_id: components["schemas"]["TaskId"];
            attempt: components["schemas"]["Attempt"];
            /** @constant */
            outcome: "released";
            /** @description Why the worker hands the task back; kept on the attempt. */
            reason?: string;
        };
        ReportReceipts: {
            reports: components["schemas"]["ReportReceipt"][];
        };
        ReportReceipt: {
            task_id: components["schemas"]["TaskId"];
            attempt: components["schemas"]["Attempt"];
            /** @description Whether this report, now or when it was first sent, decided about the attempt. */
            accepted: boolean;
            /** @description Where it was refused, the code of the problem that the single report would have got. */
            problem?: string;
            task_status?: components["schemas"]["TaskStatus"];
            current_attempt?: number;
        };
        WorkerStats: {
            worker_id: components["schemas"]["WorkerId"];
            status: components["schemas"]["WorkerStatus"];
            running_tasks: number;
            tasks_completed: components["schemas"]["Count"];
            tasks_failed: components["schemas"]["Count"];
            tasks_timeout: components["schemas"]["Count"];
            tasks_cancelled: components["schemas"]["Count"];
            /** @description How many tasks ended on this worker. */
            total_tasks: components["schemas"]["Count"];
            avg_execution_time: number;
            success_rate: components["schemas"]["Ratio"];
        };
        InternalWorkerCount: number;
        InternalScale: {
            num_workers?: components["schemas"]["InternalWorkerCount"];
        };
        InternalWorker: {
            id: components["schemas"]["WorkerId"];
            status: components["schemas"]["WorkerStatus"];
            /** Format: uuid */
            current_task_id: string | null;
        };
        InternalWorkersStatus: {
            running: boolean;
            num_workers: components["schemas"]["InternalWorkerCount"];
            /** @description Those that have registered. */
            workers: components["schemas"]["InternalWorker"][];
        };
        InternalScaled: {
            message: string;
            previous_count: components["schemas"]["InternalWorkerCount"];
            new_count: components["schemas"]["InternalWorkerCount"];
        };
        InternalStopped: {
            message: string;
            stopped_count: components["schemas"]["InternalWorkerCount"];
        };
        InternalStarted: {
            message: string;
            worker_count: components["schemas"]["InternalWorkerCount"];
        };
        Root: {
            name: string;
            version: string;
            docs: string;
            health: string;
        };
        Health: {
            /** @enum {string} */
            status: "healthy" | "degraded" | "unhealthy";
            version: string;
            timestamp: components["schemas"]["Timestamp"];
            database: {
                connected: boolean;
                latency_ms: number | null;
            };
            /** @description Null while the database does not answer. */
            workers: {
                total: components["schemas"]["Count"];
                idle: components["schemas"]["Count"];
                busy: components["schemas"]["Count"];
                offline: components["schemas"]["Count"];
            } | null;
            /** @description Null while the database does not answer. */
            queue: {
                pending: components["schemas"]["Count"];
                running: components["schemas"]["Count"];
                completed: components["schemas"]["Count"];
                failed: components["schemas"]["Count"];
                timeout: components["schemas"]["Count"];
                cancelled: components["schemas"]["Count"];
            } | null;
        };
        Readiness: {
            ready: boolean;
            /** @description Whether the database answers. */
            database: boolean;
            /** @description Whether this process's own workers have registered, or none are wanted. */
            workers: boolean;
        };
        /** @description A problem document (RFC 9457). */
        Problem: {
            /** Format: uri-reference */
            type: string;
            title: string;
            status: number;
            detail?: string;
            code: components["schemas"]["ProblemCode"];
            /** @description Whether the same request may succeed later. */
            retryable: boolean;
            request_id: string;
            /** @description What does not fit the contract, and where. */
            errors?: {
                path: string;
                message: string;
            }[];
            task_status?: components["schemas"]["TaskStatus"];
            /** @description The attempt that the task is at. */
            current_attempt?: number;
            /** @description For `log_gap`, where the next batch must begin; for `validation_failed` of a log batch, how many lines a log that is full has. */
            expected_offset?: number;
        };
        /** @enum {string} */
        ProblemCode: "malformed_request" | "malformed_json" | "host_not_allowed" | "origin_not_allowed" | "path_not_found" | "task_not_found" | "worker_not_found" | "workflow_not_found" | "schedule_not_found" | "limit_not_found" | "bulk_operation_not_found" | "artifact_not_found" | "method_not_allowed" | "request_timeout" | "task_terminal" | "task_running" | "task_not_terminal" | "dependency_failed" | "workflow_running" | "workflow_completed" | "limit_exists" | "bulk_operation_ended" | "attempt_not_held" | "session_superseded" | "session_ended" | "log_gap" | "artifact_exists" | "artifact_quota_exceeded" | "length_required" | "body_too_large" | "unsupported_media_type" | "range_not_satisfiable" | "validation_failed" | "idempotency_key_reused" | "unstorable_json" | "page_too_large" | "digest_mismatch" | "too_many_requests" | "headers_too_large" | "internal_error" | "database_unavailable" | "storage_unavailable" | "shutting_down";
    };
    responses: {
        /** @description The request is not well formed HTTP or JSON (`malformed_request`, `malformed_json`). */
        BadRequest: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The request came for a host name, or from a web page, that is not allowed (`host_not_allowed`, `origin_not_allowed`). */
        Forbidden: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description There is no such thing (`task_not_found`, `worker_not_found`, `artifact_not_found` and others). */
        NotFound: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /**
         * @description What is there does not allow it, and nothing was changed (`task_terminal`,
         *     `task_running`, `task_not_terminal`, `dependency_failed`, `workflow_running`, `workflow_completed`, `limit_exists`, `bulk_operation_ended`,
         *     `attempt_not_held`, `session_superseded`, `session_ended`, `log_gap`, `artifact_exists`, `artifact_quota_exceeded`).
         */
        Conflict: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The request did not arrive in time (`request_timeout`). */
        RequestTimeout: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Address and headers together have more than 16 KiB (`headers_too_large`). */
        HeadersTooLarge: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The request has no `Content-Length` (`length_required`). */
        LengthRequired: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The range begins after the end of the file (`range_not_satisfiable`). */
        RangeNotSatisfiable: {
            headers: {
                "Content-Range": components["headers"]["ContentRange"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body, or one of many items in it, is larger than the server takes (`body_too_large`). */
        TooLarge: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body is not JSON or, for an artifact, not `application/octet-stream` (`unsupported_media_type`). */
        UnsupportedMediaType: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The request does not fit this contract (`validation_failed`), or holds text or numbers that cannot be stored (`unstorable_json`), or repeats a key with another body (`idempotency_key_reused`), or is not what its digest says (`digest_mismatch`), or asks for a page that would be too large (`page_too_large`). */
        Unprocessable: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The server limits what waits for it (`too_many_requests`). `Retry-After` says when to come again. */
        TooManyRequests: {
            headers: {
                "Retry-After": components["headers"]["RetryAfter"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description A mistake of the server (`internal_error`); `request_id` finds it in the server's log. */
        InternalError: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The database or the storage of artifacts does not answer (`database_unavailable`, `storage_unavailable`), or the server is going down (`shutting_down`). */
        Unavailable: {
            headers: {
                "Retry-After": components["headers"]["RetryAfter"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: {
        /** @description The id of the workflow. */
        WorkflowId: components["schemas"]["Uuid"];
        /** @description The id of the schedule. */
        ScheduleId: components["schemas"]["Uuid"];
        /** @description The id of the limit. */
        LimitId: components["schemas"]["Uuid"];
        /** @description The id of the bulk operation. */
        OperationId: components["schemas"]["Uuid"];
        /**
         * @description The caller's own name for this request. Repeated with the same key and the same body, the request creates nothing and
         *     gets the first answer again, for ever; with another body it gets 422 (`idempotency_key_reused`).
         */
        IdempotencyKey: components["schemas"]["IdempotencyKey"];
        /** @description The id of a task. */
        TaskId: components["schemas"]["TaskId"];
        /** @description The id of a file. */
        ArtifactId: components["schemas"]["Uuid"];
        /** @description The id of a worker. */
        WorkerId: components["schemas"]["WorkerId"];
        /**
         * @description The `session` that the answer to the registration named. A call under a session that has ended gets 409. A
         *     caller that sends none is taken for the worker's current session.
         */
        WorkerSession: string;
        /**
         * @description The `attempt` that the claimed task named. A report for an attempt that does not hold its task any more gets 409.
         *     A caller that sends none is taken for the current attempt.
         */
        TaskAttempt: number;
    };
    requestBodies: never;
    headers: {
        /** @description The path of what the answer is about. */
        Location: string;
        /** @description `true` where the answer is that to an earlier request with the same `Idempotency-Key`. */
        IdempotencyReplayed: string;
        /** @description The SHA-256 of the file, in hexadecimal and in quotation marks. */
        ETag: string;
        /** @description The SHA-256 of the whole file (RFC 9530). */
        ReprDigest: string;
        /** @description `attachment`, with the last part of the name of the file. */
        ContentDisposition: string;
        /** @description Which bytes of how many are sent; `bytes *\/N` where there are none such. */
        ContentRange: string;
        /** @description `bytes` */
        AcceptRanges: string;
        /** @description In how many seconds to try again. */
        RetryAfter: number;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    listTasks: {
        parameters: {
            query?: {
                /** @description Only tasks in one of these statuses, separated by commas. */
                status?: components["schemas"]["TaskStatus"][];
                /** @description Only tasks of this problem. A `+` in it is sent as `%2B`, since a bare one is a space. */
                problem_id?: components["schemas"]["ProblemId"];
                /** @description Only tasks of problems that this glob fits. A `+` in it is sent as `%2B`, since a bare one is a space. */
                problem_glob?: components["schemas"]["ProblemGlob"];
                /** @description Only tasks that run on this worker or ended on it. */
                worker_id?: components["schemas"]["WorkerId"];
                /** @description Only tasks of this workflow. */
                workflow_id?: components["schemas"]["Uuid"];
                /** @description Only tasks that this schedule submitted. */
                schedule_id?: components["schemas"]["Uuid"];
                /** @description Only tasks with this label, as `key=value`; several, where the parameter is repeated. A `+` in it is sent as `%2B`, since a bare one is a space. */
                label?: components["schemas"]["LabelFilter"][];
                /** @description Only tasks submitted at this moment or later. A `+` in it is sent as `%2B`, since a bare one is a space. */
                created_from?: components["schemas"]["Moment"];
                /** @description Only tasks submitted before this moment. A `+` in it is sent as `%2B`, since a bare one is a space. */
                created_before?: components["schemas"]["Moment"];
                /** @description Only tasks that ended at this moment or later. A `+` in it is sent as `%2B`, since a bare one is a space. */
                completed_from?: components["schemas"]["Moment"];
                /** @description Only tasks that ended before this moment. A `+` in it is sent as `%2B`, since a bare one is a space. */
                completed_before?: components["schemas"]["Moment"];
                /** @description The number of the page, from 1. Not together with `cursor`. */
                page?: number;
                /** @description How many tasks a page holds. */
                page_size?: number;
                /** @description The property to sort by; a leading `-` sorts downwards. */
                sort?: components["schemas"]["TaskSort"];
                /** @description The `next_cursor` of the page before. */
                cursor?: components["schemas"]["Cursor"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of tasks. */
            200: {
                headers: {
                    /** @description The next page (`rel="next"`), where there is one and its address is no longer than the header may be. */
                    Link?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskList"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    createTask: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The caller's own name for this request. Repeated with the same key and the same body, the request creates nothing and
                 *     gets the first answer again, for ever; with another body it gets 422 (`idempotency_key_reused`).
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TaskSubmission"];
            };
        };
        responses: {
            /** @description The task that has the same `dedupe_key` and has not ended. */
            200: {
                headers: {
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Task"];
                };
            };
            /** @description The task, pending; or completed, where it took the result of an equal one. */
            201: {
                headers: {
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Task"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    createTasks: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The caller's own name for this request. Repeated with the same key and the same body, the request creates nothing and
                 *     gets the first answer again, for ever; with another body it gets 422 (`idempotency_key_reused`).
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TaskBatch"];
            };
        };
        responses: {
            /** @description The ids, in the order of the request. */
            201: {
                headers: {
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskBatchResult"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    exportTasks: {
        parameters: {
            query?: {
                /** @description Only tasks in one of these statuses, separated by commas. */
                status?: components["schemas"]["TaskStatus"][];
                /** @description Only tasks of this problem. A `+` in it is sent as `%2B`, since a bare one is a space. */
                problem_id?: components["schemas"]["ProblemId"];
                /** @description Only tasks of problems that this glob fits. A `+` in it is sent as `%2B`, since a bare one is a space. */
                problem_glob?: components["schemas"]["ProblemGlob"];
                /** @description Only tasks that run on this worker or ended on it. */
                worker_id?: components["schemas"]["WorkerId"];
                /** @description Only tasks of this workflow. */
                workflow_id?: components["schemas"]["Uuid"];
                /** @description Only tasks that this schedule submitted. */
                schedule_id?: components["schemas"]["Uuid"];
                /** @description Only tasks with this label, as `key=value`; several, where the parameter is repeated. A `+` in it is sent as `%2B`, since a bare one is a space. */
                label?: components["schemas"]["LabelFilter"][];
                /** @description Only tasks submitted at this moment or later. A `+` in it is sent as `%2B`, since a bare one is a space. */
                created_from?: components["schemas"]["Moment"];
                /** @description Only tasks submitted before this moment. A `+` in it is sent as `%2B`, since a bare one is a space. */
                created_before?: components["schemas"]["Moment"];
                /** @description Only tasks that ended at this moment or later. A `+` in it is sent as `%2B`, since a bare one is a space. */
                completed_from?: components["schemas"]["Moment"];
                /** @description Only tasks that ended before this moment. A `+` in it is sent as `%2B`, since a bare one is a space. */
                completed_before?: components["schemas"]["Moment"];
                /** @description What else of each task, separated by commas. */
                include?: ("attempts" | "logs")[];
                /** @description How many tasks at the most; all where absent. */
                limit?: number;
                /** @description The `cursor` of the last line of a task that was read, in an export with the same filters. */
                cursor?: components["schemas"]["Cursor"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Lines of JSON; the schema is that of each line. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": components["schemas"]["ExportLine"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    getTaskStats: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The counts. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskStats"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    getTask: {
        parameters: {
            query?: {
                /** @description How long to wait for the end of the task. */
                wait_seconds?: number;
            };
            header?: never;
            path: {
                /** @description The id of a task. */
                task_id: components["parameters"]["TaskId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The task. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Task"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    adjustTask: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a task. */
                task_id: components["parameters"]["TaskId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TaskAdjustment"];
            };
        };
        responses: {
            /** @description The task. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Task"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    cancelTask: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a task. */
                task_id: components["parameters"]["TaskId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The task, cancelled. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Task"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    retryTask: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The caller's own name for this request. Repeated with the same key and the same body, the request creates nothing and
                 *     gets the first answer again, for ever; with another body it gets 422 (`idempotency_key_reused`).
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description The id of a task. */
                task_id: components["parameters"]["TaskId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The task that has the same `dedupe_key` and has not ended. */
            200: {
                headers: {
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Task"];
                };
            };
            /** @description The new task. */
            201: {
                headers: {
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Task"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    listTaskAttempts: {
        parameters: {
            query?: {
                /** @description How many attempts at the most. */
                limit?: number;
                /** @description The `next_cursor` of the page before. */
                cursor?: components["schemas"]["Cursor"];
            };
            header?: never;
            path: {
                /** @description The id of a task. */
                task_id: components["parameters"]["TaskId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of attempts. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AttemptList"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    explainTask: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a task. */
                task_id: components["parameters"]["TaskId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The explanation. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskExplanation"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    getTaskLogs: {
        parameters: {
            query?: {
                /** @description Only lines of exactly this level. */
                level?: components["schemas"]["LogLevel"];
                /** @description Only lines of this attempt. */
                attempt?: components["schemas"]["Attempt"];
                /** @description How many lines at the most. */
                limit?: number;
                /** @description The `next_cursor` of the page before. */
                cursor?: components["schemas"]["Cursor"];
            };
            header?: never;
            path: {
                /** @description The id of a task. */
                task_id: components["parameters"]["TaskId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of lines. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskLogPage"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    streamTaskEvents: {
        parameters: {
            query?: {
                /** @description Whether lines of the log are sent. */
                logs?: boolean;
                /** @description Only lines of exactly this level; with `logs=true`. */
                level?: components["schemas"]["LogLevel"];
            };
            header?: {
                /** @description The `id` of the last event that was read. */
                "Last-Event-ID"?: string;
            };
            path: {
                /** @description The id of a task. */
                task_id: components["parameters"]["TaskId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Events; the schema is that of each, `data` is its JSON. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["TaskEvent"];
                };
            };
            /** @description The task has ended and the last event was read. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    listTaskArtifacts: {
        parameters: {
            query?: {
                /** @description Only files of this attempt. */
                attempt?: components["schemas"]["Attempt"];
                /** @description How many files at the most. */
                limit?: number;
                /** @description The `next_cursor` of the page before. */
                cursor?: components["schemas"]["Cursor"];
            };
            header?: never;
            path: {
                /** @description The id of a task. */
                task_id: components["parameters"]["TaskId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of files. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ArtifactList"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    downloadTaskArtifact: {
        parameters: {
            query?: never;
            header?: {
                /** @description `bytes=0-1023`, `bytes=1024-` or `bytes=-500`. */
                Range?: string;
                /** @description The `ETag` of the file that the range is about; the whole file is sent where it is another. */
                "If-Range"?: string;
                /** @description The `ETag` of what the caller has. */
                "If-None-Match"?: string;
            };
            path: {
                /** @description The id of a task. */
                task_id: components["parameters"]["TaskId"];
                /** @description The id of a file. */
                artifact_id: components["parameters"]["ArtifactId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The whole file. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "Repr-Digest": components["headers"]["ReprDigest"];
                    "Content-Disposition": components["headers"]["ContentDisposition"];
                    "Accept-Ranges": components["headers"]["AcceptRanges"];
                    [name: string]: unknown;
                };
                content: {
                    "*/*": string;
                };
            };
            /** @description The part that was asked for. */
            206: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "Repr-Digest": components["headers"]["ReprDigest"];
                    "Content-Disposition": components["headers"]["ContentDisposition"];
                    "Accept-Ranges": components["headers"]["AcceptRanges"];
                    "Content-Range": components["headers"]["ContentRange"];
                    [name: string]: unknown;
                };
                content: {
                    "*/*": string;
                };
            };
            /** @description The caller has it. */
            304: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            416: components["responses"]["RangeNotSatisfiable"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    createWorkflow: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The caller's own name for this request. Repeated with the same key and the same body, the request creates nothing and
                 *     gets the first answer again, for ever; with another body it gets 422 (`idempotency_key_reused`).
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WorkflowSubmission"];
            };
        };
        responses: {
            /** @description The workflow. */
            201: {
                headers: {
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Workflow"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    getWorkflow: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the workflow. */
                workflow_id: components["parameters"]["WorkflowId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The workflow. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Workflow"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    cancelWorkflow: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the workflow. */
                workflow_id: components["parameters"]["WorkflowId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The workflow. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Workflow"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    retryWorkflow: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The caller's own name for this request. Repeated with the same key and the same body, the request creates nothing and
                 *     gets the first answer again, for ever; with another body it gets 422 (`idempotency_key_reused`).
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description The id of the workflow. */
                workflow_id: components["parameters"]["WorkflowId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The new workflow. */
            201: {
                headers: {
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Workflow"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    listSchedules: {
        parameters: {
            query?: {
                /** @description How many schedules at the most. */
                limit?: number;
                /** @description The `next_cursor` of the page before. */
                cursor?: components["schemas"]["Cursor"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of schedules. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScheduleList"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    createSchedule: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The caller's own name for this request. Repeated with the same key and the same body, the request creates nothing and
                 *     gets the first answer again, for ever; with another body it gets 422 (`idempotency_key_reused`).
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ScheduleSubmission"];
            };
        };
        responses: {
            /** @description The schedule. */
            201: {
                headers: {
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    getSchedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the schedule. */
                schedule_id: components["parameters"]["ScheduleId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The schedule. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    deleteSchedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the schedule. */
                schedule_id: components["parameters"]["ScheduleId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It fires no more. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    changeSchedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the schedule. */
                schedule_id: components["parameters"]["ScheduleId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ScheduleChange"];
            };
        };
        responses: {
            /** @description The schedule. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    listBulkOperations: {
        parameters: {
            query?: {
                /** @description Those that are in this state. */
                state?: components["schemas"]["BulkState"];
                /** @description How many operations at the most. */
                limit?: number;
                /** @description The `next_cursor` of the page before. */
                cursor?: components["schemas"]["Cursor"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of operations. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkOperationList"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    createBulkOperation: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The caller's own name for this request. Repeated with the same key and the same body, the request creates nothing and
                 *     gets the first answer again, for ever; with another body it gets 422 (`idempotency_key_reused`).
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BulkSubmission"];
            };
        };
        responses: {
            /** @description The operation, running. */
            202: {
                headers: {
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkOperation"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    getBulkOperation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the bulk operation. */
                operation_id: components["parameters"]["OperationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The operation. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkOperation"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    stopBulkOperation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the bulk operation. */
                operation_id: components["parameters"]["OperationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The operation, stopped. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BulkOperation"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    listLimits: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The limits. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LimitList"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    createLimit: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The caller's own name for this request. Repeated with the same key and the same body, the request creates nothing and
                 *     gets the first answer again, for ever; with another body it gets 422 (`idempotency_key_reused`).
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LimitSubmission"];
            };
        };
        responses: {
            /** @description The limit. */
            201: {
                headers: {
                    Location: components["headers"]["Location"];
                    "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Limit"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    getLimit: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the limit. */
                limit_id: components["parameters"]["LimitId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The limit. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Limit"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    deleteLimit: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the limit. */
                limit_id: components["parameters"]["LimitId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It holds nothing back any more. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    changeLimit: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the limit. */
                limit_id: components["parameters"]["LimitId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LimitChange"];
            };
        };
        responses: {
            /** @description The limit. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Limit"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    listPauses: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The pauses. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PauseList"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    pauseQueue: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["PauseSubmission"];
            };
        };
        responses: {
            /** @description What is paused. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Pause"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    resumeQueue: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Resumption"];
            };
        };
        responses: {
            /** @description Whether it was paused. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Resumed"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    explainQueue: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The backlog by reason. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["QueueExplanation"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    listWorkers: {
        parameters: {
            query?: {
                /** @description Only workers in this status. */
                status?: components["schemas"]["WorkerStatus"];
                /** @description Only workers with this backend. */
                backend_type?: components["schemas"]["BackendType"];
                /** @description How many workers at the most. */
                limit?: number;
                /** @description The `next_cursor` of the page before. */
                cursor?: components["schemas"]["Cursor"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The workers. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WorkerList"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    registerWorker: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WorkerRegistration"];
            };
        };
        responses: {
            /** @description The worker with its new session. */
            201: {
                headers: {
                    /** @description The path of the worker. */
                    Location: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WorkerSession"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    getWorker: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a worker. */
                worker_id: components["parameters"]["WorkerId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The worker. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Worker"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    deregisterWorker: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `session` that the answer to the registration named. A call under a session that has ended gets 409. A
                 *     caller that sends none is taken for the worker's current session.
                 */
                "Worker-Session"?: components["parameters"]["WorkerSession"];
            };
            path: {
                /** @description The id of a worker. */
                worker_id: components["parameters"]["WorkerId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The session has ended. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    getWorkerStats: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a worker. */
                worker_id: components["parameters"]["WorkerId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The counts. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WorkerStats"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    drainWorker: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `session` that the answer to the registration named. A call under a session that has ended gets 409. A
                 *     caller that sends none is taken for the worker's current session.
                 */
                "Worker-Session"?: components["parameters"]["WorkerSession"];
            };
            path: {
                /** @description The id of a worker. */
                worker_id: components["parameters"]["WorkerId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The worker. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Worker"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    resumeWorker: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of a worker. */
                worker_id: components["parameters"]["WorkerId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The worker. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Worker"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    heartbeat: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `session` that the answer to the registration named. A call under a session that has ended gets 409. A
                 *     caller that sends none is taken for the worker's current session.
                 */
                "Worker-Session"?: components["parameters"]["WorkerSession"];
            };
            path: {
                /** @description The id of a worker. */
                worker_id: components["parameters"]["WorkerId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Heartbeat"];
            };
        };
        responses: {
            /** @description The worker, its lease renewed. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WorkerSession"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    claimTask: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `session` that the answer to the registration named. A call under a session that has ended gets 409. A
                 *     caller that sends none is taken for the worker's current session.
                 */
                "Worker-Session"?: components["parameters"]["WorkerSession"];
            };
            path: {
                /** @description The id of a worker. */
                worker_id: components["parameters"]["WorkerId"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Claim"];
            };
        };
        responses: {
            /** @description The task, now running on this worker. `attempt` is to be named in every report. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Task"];
                };
            };
            /** @description Nothing to do, or the worker already runs as many tasks as it may. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    claimTasks: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `session` that the answer to the registration named. A call under a session that has ended gets 409. A
                 *     caller that sends none is taken for the worker's current session.
                 */
                "Worker-Session"?: components["parameters"]["WorkerSession"];
            };
            path: {
                /** @description The id of a worker. */
                worker_id: components["parameters"]["WorkerId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BatchClaim"];
            };
        };
        responses: {
            /** @description The tasks, now running on this worker, in the order in which they should begin; none where there are none. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClaimedTasks"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    reportTasks: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `session` that the answer to the registration named. A call under a session that has ended gets 409. A
                 *     caller that sends none is taken for the worker's current session.
                 */
                "Worker-Session"?: components["parameters"]["WorkerSession"];
            };
            path: {
                /** @description The id of a worker. */
                worker_id: components["parameters"]["WorkerId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReportBatch"];
            };
        };
        responses: {
            /** @description What became of each report. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReportReceipts"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    completeTask: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `session` that the answer to the registration named. A call under a session that has ended gets 409. A
                 *     caller that sends none is taken for the worker's current session.
                 */
                "Worker-Session"?: components["parameters"]["WorkerSession"];
                /**
                 * @description The `attempt` that the claimed task named. A report for an attempt that does not hold its task any more gets 409.
                 *     A caller that sends none is taken for the current attempt.
                 */
                "Task-Attempt"?: components["parameters"]["TaskAttempt"];
            };
            path: {
                /** @description The id of a worker. */
                worker_id: components["parameters"]["WorkerId"];
                /** @description The id of a task. */
                task_id: components["parameters"]["TaskId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["JsonObject"];
            };
        };
        responses: {
            /** @description The task, completed. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Task"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    failTask: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `session` that the answer to the registration named. A call under a session that has ended gets 409. A
                 *     caller that sends none is taken for the worker's current session.
                 */
                "Worker-Session"?: components["parameters"]["WorkerSession"];
                /**
                 * @description The `attempt` that the claimed task named. A report for an attempt that does not hold its task any more gets 409.
                 *     A caller that sends none is taken for the current attempt.
                 */
                "Task-Attempt"?: components["parameters"]["TaskAttempt"];
            };
            path: {
                /** @description The id of a worker. */
                worker_id: components["parameters"]["WorkerId"];
                /** @description The id of a task. */
                task_id: components["parameters"]["TaskId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Failure"];
            };
        };
        responses: {
            /** @description The task. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Task"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    releaseTask: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `session` that the answer to the registration named. A call under a session that has ended gets 409. A
                 *     caller that sends none is taken for the worker's current session.
                 */
                "Worker-Session"?: components["parameters"]["WorkerSession"];
                /**
                 * @description The `attempt` that the claimed task named. A report for an attempt that does not hold its task any more gets 409.
                 *     A caller that sends none is taken for the current attempt.
                 */
                "Task-Attempt"?: components["parameters"]["TaskAttempt"];
            };
            path: {
                /** @description The id of a worker. */
                worker_id: components["parameters"]["WorkerId"];
                /** @description The id of a task. */
                task_id: components["parameters"]["TaskId"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Release"];
            };
        };
        responses: {
            /** @description The task. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Task"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    appendTaskLogs: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `session` that the answer to the registration named. A call under a session that has ended gets 409. A
                 *     caller that sends none is taken for the worker's current session.
                 */
                "Worker-Session"?: components["parameters"]["WorkerSession"];
                /**
                 * @description The `attempt` that the claimed task named. A report for an attempt that does not hold its task any more gets 409.
                 *     A caller that sends none is taken for the current attempt.
                 */
                "Task-Attempt"?: components["parameters"]["TaskAttempt"];
            };
            path: {
                /** @description The id of a worker. */
                worker_id: components["parameters"]["WorkerId"];
                /** @description The id of a task. */
                task_id: components["parameters"]["TaskId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LogBatch"];
            };
        };
        responses: {
            /** @description What was stored. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogReceipt"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    reportTaskProgress: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `session` that the answer to the registration named. A call under a session that has ended gets 409. A
                 *     caller that sends none is taken for the worker's current session.
                 */
                "Worker-Session"?: components["parameters"]["WorkerSession"];
                /**
                 * @description The `attempt` that the claimed task named. A report for an attempt that does not hold its task any more gets 409.
                 *     A caller that sends none is taken for the current attempt.
                 */
                "Task-Attempt"?: components["parameters"]["TaskAttempt"];
            };
            path: {
                /** @description The id of a worker. */
                worker_id: components["parameters"]["WorkerId"];
                /** @description The id of a task. */
                task_id: components["parameters"]["TaskId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Progress"];
            };
        };
        responses: {
            /** @description It is stored. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    putTaskArtifact: {
        parameters: {
            query: {
                /** @description The name of the file, a relative path. A `+` in it is sent as `%2B`, since a bare one is a space. */
                name: components["schemas"]["ArtifactName"];
                /** @description The media type with which the file is served. A `+` in it is sent as `%2B`, since a bare one is a space. */
                content_type?: components["schemas"]["MediaType"];
            };
            header?: {
                /**
                 * @description The `session` that the answer to the registration named. A call under a session that has ended gets 409. A
                 *     caller that sends none is taken for the worker's current session.
                 */
                "Worker-Session"?: components["parameters"]["WorkerSession"];
                /**
                 * @description The `attempt` that the claimed task named. A report for an attempt that does not hold its task any more gets 409.
                 *     A caller that sends none is taken for the current attempt.
                 */
                "Task-Attempt"?: components["parameters"]["TaskAttempt"];
                /** @description The SHA-256 of the body (RFC 9530). Bytes that do not fit it are refused with 422 (`digest_mismatch`). */
                "Content-Digest"?: string;
            };
            path: {
                /** @description The id of a worker. */
                worker_id: components["parameters"]["WorkerId"];
                /** @description The id of a task. */
                task_id: components["parameters"]["TaskId"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/octet-stream": string;
            };
        };
        responses: {
            /** @description The file, as it is stored. */
            201: {
                headers: {
                    Location: components["headers"]["Location"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Artifact"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["Conflict"];
            411: components["responses"]["LengthRequired"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    getInternalWorkers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The internal workers. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InternalWorkersStatus"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    scaleInternalWorkers: {
        parameters: {
            query?: {
                /** @description The wanted number of workers. */
                num_workers?: components["schemas"]["InternalWorkerCount"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["InternalScale"];
            };
        };
        responses: {
            /** @description What changed. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InternalScaled"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    stopInternalWorkers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description How many were stopped. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InternalStopped"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    startInternalWorkers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description How many run now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["InternalStarted"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    getRoot: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Name, version and where to go on. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Root"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            422: components["responses"]["Unprocessable"];
            431: components["responses"]["HeadersTooLarge"];
        };
    };
    getHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Healthy or degraded. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            422: components["responses"]["Unprocessable"];
            431: components["responses"]["HeadersTooLarge"];
            /** @description Unhealthy. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                };
            };
        };
    };
    getReadiness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ready. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readiness"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            422: components["responses"]["Unprocessable"];
            431: components["responses"]["HeadersTooLarge"];
            /** @description Not ready. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readiness"];
                };
            };
        };
    };
    getMetrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The metrics. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            422: components["responses"]["Unprocessable"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
        };
    };
    getContractYaml: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The contract. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/yaml": string;
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            422: components["responses"]["Unprocessable"];
            431: components["responses"]["HeadersTooLarge"];
        };
    };
    getContractJson: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The contract. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            422: components["responses"]["Unprocessable"];
            431: components["responses"]["HeadersTooLarge"];
        };
    };
    getSwaggerUi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            422: components["responses"]["Unprocessable"];
            431: components["responses"]["HeadersTooLarge"];
        };
    };
    getRedoc: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            422: components["responses"]["Unprocessable"];
            431: components["responses"]["HeadersTooLarge"];
        };
    };
}

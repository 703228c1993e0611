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
         */
        get: operations["listTasks"];
        put?: never;
        /**
         * Submit a task
         * @description An answer of 201 means that the task is stored durably and will be run.
         */
        post: operations["createTask"];
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
        /** Read one task */
        get: operations["getTask"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
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
         *     line of the page: repeat it later to read only what came since.
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
         *     attempt counted as lost.
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
         *     that it does not hold any more.
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
         * @description The task of highest priority, then the oldest, among those that fit the worker. With `wait_seconds` the call waits
         *     that long for one. A claim that is repeated with the same `request_id` gets the same task again, so a lost answer
         *     strands nothing.
         */
        post: operations["claimTask"];
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
         * @description The task has failed, or goes back to `pending` while its `max_attempts` allow another attempt. Repeated, it gets
         *     the first answer again and changes nothing.
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
         *     their unfinished tasks back to the queue.
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
         * @description Why the task is in its status. Pending: `ready` (the next fitting worker takes it) or `unclaimable` (no live
         *     worker fits it). Failed: `task_failed` (its worker said so) or `workers_lost` (as many attempts as `max_lost`
         *     ended because their worker went away). Timeout: `timed_out`. Cancelled: `cancel_requested`. Null when running
         *     or completed.
         * @enum {string|null}
         */
        TaskReason: "ready" | "unclaimable" | "task_failed" | "workers_lost" | "timed_out" | "cancel_requested" | null;
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
        TaskSubmission: {
            problem_id: components["schemas"]["ProblemId"];
            /**
             * @description What the task works on; handed to its executor as it is.
             * @default {}
             */
            parameters?: {
                [key: string]: unknown;
            };
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
            /** @description Whether a task that failed or timed out is tried again. */
            retry?: {
                /**
                 * @description How many attempts may fail or time out before the task has.
                 * @default 1
                 */
                max_attempts?: number;
            };
        };
        Task: {
            id: components["schemas"]["TaskId"];
            problem_id: components["schemas"]["ProblemId"];
            status: components["schemas"]["TaskStatus"];
            reason: components["schemas"]["TaskReason"];
            parameters: components["schemas"]["JsonObject"];
            priority: components["schemas"]["Priority"];
            backend_type: string | null;
            timeout_seconds: components["schemas"]["TimeoutSeconds"];
            /** @description The number of the current or last attempt; 0 before the first. */
            attempt: number;
            max_attempts: components["schemas"]["AttemptLimit"];
            max_lost: components["schemas"]["AttemptLimit"];
            /** @description The worker that runs the task, or the last that ran it; null while it is pending. */
            worker_id: string | null;
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
            backend_type: components["schemas"]["BackendType"];
            capabilities?: components["schemas"]["Capabilities"];
            /**
             * @description Whatever helps to find the worker (host, version, ...); at most 16 KiB.
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
            directives: components["schemas"]["Directives"];
        };
        /** @description What the server asks of the worker, about the attempts that it named. */
        Directives: {
            /** @description Stop these; their task has ended. */
            cancel: components["schemas"]["Directive"][];
            /** @description Stop these; this worker does not hold them. */
            lost: components["schemas"]["Directive"][];
            /** @description Finish what runs and claim nothing more. */
            drain: boolean;
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
        };
        RunningAttempt: {
            task_id: components["schemas"]["TaskId"];
            attempt: components["schemas"]["Attempt"];
        };
        Claim: {
            /**
             * @description How long to wait for a task.
             * @default 0
             */
            wait_seconds?: number;
            /** @description The worker's own, new for each claim and the same for its repetitions. */
            request_id?: string;
        };
        Failure: {
            /** @description What went wrong, in words. */
            error: string;
        };
        Release: {
            /** @description Why the worker hands the task back; kept on the attempt. */
            reason?: string;
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
            /** @description For `log_gap`, where the next batch must begin. */
            expected_offset?: number;
        };
        /** @enum {string} */
        ProblemCode: "malformed_request" | "malformed_json" | "host_not_allowed" | "origin_not_allowed" | "path_not_found" | "task_not_found" | "worker_not_found" | "method_not_allowed" | "request_timeout" | "task_terminal" | "attempt_not_held" | "session_superseded" | "session_ended" | "log_gap" | "body_too_large" | "unsupported_media_type" | "validation_failed" | "unstorable_json" | "too_many_requests" | "headers_too_large" | "internal_error" | "database_unavailable" | "shutting_down";
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
        /** @description There is no such task or worker (`task_not_found`, `worker_not_found`). */
        NotFound: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /**
         * @description The state of the task or of the session does not allow it, and nothing was changed (`task_terminal`,
         *     `attempt_not_held`, `session_superseded`, `session_ended`, `log_gap`).
         */
        Conflict: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body is larger than the server takes (`body_too_large`). */
        TooLarge: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body is not JSON (`unsupported_media_type`). */
        UnsupportedMediaType: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The request does not fit this contract (`validation_failed`), or holds text or numbers that cannot be stored (`unstorable_json`). */
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
        /** @description The database does not answer (`database_unavailable`), or the server is going down (`shutting_down`). */
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
        /** @description The id of a task. */
        TaskId: components["schemas"]["TaskId"];
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
                /** @description Only tasks in this status. */
                status?: components["schemas"]["TaskStatus"];
                /** @description Only tasks of this problem. */
                problem_id?: components["schemas"]["ProblemId"];
                /** @description Only tasks that run on this worker or ended on it. */
                worker_id?: components["schemas"]["WorkerId"];
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
                    /** @description The next page (`rel="next"`), where there is one. */
                    Link?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TaskList"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    createTask: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TaskSubmission"];
            };
        };
        responses: {
            /** @description The task, pending. */
            201: {
                headers: {
                    /** @description The path of the new task. */
                    Location: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Task"];
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
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
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    getTask: {
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
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
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
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["Unavailable"];
        };
    };
    getTaskLogs: {
        parameters: {
            query?: {
                /** @description Only lines of exactly this level. */
                level?: components["schemas"]["LogLevel"];
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
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
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
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
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
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
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
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
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
            409: components["responses"]["Conflict"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
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
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
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
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
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
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
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
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
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
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
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
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
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
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
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
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
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
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
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
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
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
            413: components["responses"]["TooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["Unprocessable"];
            429: components["responses"]["TooManyRequests"];
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
            403: components["responses"]["Forbidden"];
            422: components["responses"]["Unprocessable"];
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
            403: components["responses"]["Forbidden"];
            422: components["responses"]["Unprocessable"];
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
            403: components["responses"]["Forbidden"];
            422: components["responses"]["Unprocessable"];
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
            403: components["responses"]["Forbidden"];
            422: components["responses"]["Unprocessable"];
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
            403: components["responses"]["Forbidden"];
            422: components["responses"]["Unprocessable"];
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
            403: components["responses"]["Forbidden"];
            422: components["responses"]["Unprocessable"];
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
            403: components["responses"]["Forbidden"];
            422: components["responses"]["Unprocessable"];
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
            403: components["responses"]["Forbidden"];
            422: components["responses"]["Unprocessable"];
        };
    };
}

#!/usr/bin/env node
/** The executable `task-executor-worker`. */
import { createCommand } from './cli.js';

await createCommand().parseAsync();

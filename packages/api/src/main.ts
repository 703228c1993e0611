#!/usr/bin/env node
/** The executable `task-executor-api`. */
import { createCommand } from './cli.js';

await createCommand().parseAsync();

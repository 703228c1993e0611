/** Where the spool is when nobody says: a folder for state that survives a restart, else one for temporary files. */
import { homedir, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { makeFolder } from '@task-executor/shared';
import type { WorkerLog } from '../log.js';

/** A folder that can be made; others may be using it, too. */
export async function defaultSpoolRoot(environment: NodeJS.ProcessEnv, log: WorkerLog): Promise<string> {
  // systemd's StateDirectory=, where there may be several.
  const [service] = (environment.STATE_DIRECTORY ?? '').split(':');
  const state = environment.XDG_STATE_HOME ?? join(homedir(), '.local', 'state');
  const root = service !== undefined && service !== '' ? join(service, 'spool') : join(state, 'task-executor', 'spool');
  try {
    await makeFolder(root, 0o700);
    return root;
  } catch (error) {
    const fallback = join(tmpdir(), `task-executor-spool-${userInfo().uid}`);
    log.warn({ event: 'spool_in_tmp', folder: fallback, error: String(error) }, 'there is no folder for state; reports wait in one for temporary files');
    return fallback;
  }
}

/** A PgBouncer in transaction mode in front of the server of the tests, with few connections of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import pg from 'pg';
import { chooseAccount } from '../../src/embedded-postgres/account.js';
import { eventually } from './actors.js';

/** Connections to PostgreSQL; far fewer than the replicas of a test have to the pooler. */
export const POOL_SIZE = 4;
const PORT_ATTEMPTS = 5;

/** Where pgbouncer is, or null where it is not installed. */
export function findPgBouncer(): string | null {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders.map((folder) => join(folder, 'pgbouncer')).find((path) => existsSync(path)) ?? null;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject).listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => {
        resolve(port);
      });
    });
  });
}

export class PgBouncer {
  readonly #program: string;
  readonly #folder: string;
  readonly #port: number;
  readonly #account: { uid?: number; gid?: number };
  #process: ChildProcess | null = null;

  private constructor(program: string, folder: string, port: number, account: { uid?: number; gid?: number }) {
    this.#program = program;
    this.#folder = folder;
    this.#port = port;
    this.#account = account;
  }

  /** In front of the server of `url`, with `settings` beside its own. */
  static async start(program: string, url: string, settings: Record<string, string> = {}): Promise<PgBouncer> {
    const target = new URL(url);
    const folder = await mkdtemp(join(tmpdir(), 'task-executor-pgbouncer-'));
    // It refuses to be root, as PostgreSQL does.
    const account = await chooseAccount(join(folder, 'none'));
    if (account !== null) await chown(folder, account.uid, account.gid);
    for (let attempt = 1; ; attempt++) {
      const port = await freePort();
      const bouncer = new PgBouncer(program, folder, port, account ?? {});
      await writeFile(bouncer.#file, [
        '[databases]',
        `* = host=${target.hostname} port=${target.port || '5432'} user=${decodeURIComponent(target.username)} `
          + `password='${decodeURIComponent(target.password)}'`,
        '[pgbouncer]',
        ...Object.entries({
          listen_addr: '127.0.0.1', listen_port: String(port), unix_socket_dir: '', auth_type: 'any', admin_users: 'pgbouncer', pool_mode: 'transaction',
          default_pool_size: String(POOL_SIZE), max_client_conn: '500', server_login_retry: '1', ...settings,
        }).map(([name, value]) => `${name} = ${value}`),
        '',
      ].join('\n'));
      try {
        await bouncer.resume();
        return bouncer;
      } catch (error) {
        await bouncer.kill();
        if (attempt === PORT_ATTEMPTS) throw error;
      }
    }
  }

  get #file(): string {
    return join(this.#folder, 'pgbouncer.ini');
  }

  /** `url` by way of the pooler. */
  through(url: string): string {
    const near = new URL(url);
    near.hostname = '127.0.0.1';
    near.port = String(this.#port);
    return near.href;
  }

  /** Starts it where it does not run. */
  async resume(): Promise<void> {
    const started = spawn(this.#program, ['-q', this.#file], { ...this.#account, cwd: this.#folder, stdio: 'ignore' });
    this.#process = started;
    await eventually(async () => {
      if (started.exitCode !== null) throw new Error(`pgbouncer ended with ${String(started.exitCode)}`);
      return this.#console('show version').then(() => true, () => false);
    });
  }

  /** Ends it at once, and with it every connection. */
  async kill(): Promise<void> {
    const running = this.#process;
    this.#process = null;
    if (running === null || running.exitCode !== null || running.signalCode !== null) return;
    const ended = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGKILL');
    await ended;
  }

  /** Makes its connections to PostgreSQL anew, as after a change of a role. */
  async reconnect(): Promise<void> {
    await this.#console('reconnect');
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true });
  }

  async #console(command: string): Promise<void> {
    const client = new pg.Client({ host: '127.0.0.1', port: this.#port, user: 'pgbouncer', database: 'pgbouncer', connectionTimeoutMillis: 5_000 });
    client.on('error', () => undefined);
    await client.connect();
    await client.query(command).finally(() => client.end());
  }
}

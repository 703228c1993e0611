/**
 * What PostgreSQL itself says of the statements that it runs: auto_explain writes the plan of each into the server's log as it was
 * executed, pg_stat_statements counts what each took. So it is the API's own SQL with its own values, in its own sessions, and the
 * API does not know of it.
 */
import { setTimeout as sleep } from 'node:timers/promises';

const LOG_MS = 20_000;
const LOOK_MS = 20;

/** For a server that explains. Full page images are left out of the WAL: how many there are depends on when the last checkpoint was. */
export const EXPLAINING = {
  shared_preload_libraries: 'auto_explain,pg_stat_statements',
  logging_collector: 'on',
  log_destination: 'jsonlog',
  log_filename: 'plans.log',
  log_rotation_age: 0,
  log_rotation_size: 0,
  'auto_explain.log_analyze': 'on',
  'auto_explain.log_buffers': 'on',
  'auto_explain.log_wal': 'on',
  // Reading the clock at each node would cost more than most of them.
  'auto_explain.log_timing': 'off',
  'auto_explain.log_format': 'json',
  'auto_explain.log_parameter_max_length': 0,
  full_page_writes: 'off',
  autovacuum: 'off',
};

/** The plans of the statements that the API's sessions run on one database. */
export class Plans {
  #postgres;
  #database;
  #at = 0;
  #rest = '';

  constructor(postgres, database) {
    this.#postgres = postgres;
    this.#database = database;
  }

  /** Explains all that runs from now on, until `end`. */
  async begin() {
    await this.#postgres.query('create extension if not exists pg_stat_statements');
    await this.#postgres.query('alter system set auto_explain.log_min_duration = 0');
    await this.#postgres.query('select pg_reload_conf()');
  }

  async end() {
    await this.#postgres.query('alter system reset auto_explain.log_min_duration');
    await this.#postgres.query('select pg_reload_conf()');
  }

  /** Forgets what has been so far. */
  async reset() {
    await this.#postgres.query('select pg_stat_statements_reset()');
    const { rows: [{ size }] } = await this.#postgres.query("select size from pg_stat_file(pg_current_logfile('jsonlog'))");
    this.#at = Number(size);
    this.#rest = '';
  }

  /**
   * Since the last reset, of each statement of `named` ([name, what its text matches] pairs): its most frequent plan, what an execution
   * took on the average, and the median of its milliseconds. Waits until each has run `atLeast` times. @throws where one has not
   */
  async read(named, atLeast) {
    const seen = named.map(() => []);
    const deadline = performance.now() + LOG_MS;
    for (;;) {
      for (const entry of await this.#entries()) {
        const n = named.findIndex(([, matches]) => matches.test(entry.text));
        if (n !== -1) seen[n].push(entry);
      }
      const missing = named.filter((_one, n) => seen[n].length < atLeast).map(([name]) => name);
      if (missing.length === 0) break;
      if (performance.now() > deadline) throw new Error(`the API has not run what the benchmark knows as: ${missing.join(', ')}`);
      await sleep(LOOK_MS);
    }
    const found = [];
    for (const [n, [name]] of named.entries()) found.push({ name, entries: seen[n], ...(await this.#counted(seen[n].map(({ id }) => id))) });
    return found;
  }

  /** What executions of statements took, on the average. The root of a plan does not count what parts of it do that nobody reads. */
  async #counted(ids) {
    const { rows: [row] } = await this.#postgres.query(`
      select sum(calls)::float8 as calls, sum(shared_blks_hit + shared_blks_read) / sum(calls) as buffers, sum(wal_bytes) / sum(calls) as wal
        from pg_stat_statements s join pg_database d on d.oid = s.dbid and d.datname = $1
       where queryid = any ($2::bigint[])`, [this.#database.name, [...new Set(ids)]]);
    if (row.calls === null) throw new Error('pg_stat_statements has not counted what auto_explain has explained');
    return { calls: row.calls, buffers: Number(row.buffers), wal: Number(row.wal) };
  }

  /** New plans in the log. */
  async #entries() {
    const { rows: [{ text: added }] } = await this.#postgres.query(
      "select convert_from(pg_read_binary_file(pg_current_logfile('jsonlog'), $1, 100000000), 'UTF8') as text", [this.#at],
    );
    this.#at += Buffer.byteLength(added);
    const lines = (this.#rest + added).split('\n');
    this.#rest = lines.pop();
    return lines.filter((line) => line !== '').flatMap((text) => {
      const line = JSON.parse(text);
      const [, ms, json] = /^duration: ([\d.]+) ms {2}plan:\n([\s\S]*)$/.exec(line.message) ?? [];
      if (json === undefined || line.dbname !== this.#database.name || !line.application_name?.startsWith('task-executor-api')) return [];
      const { 'Query Text': query, Plan: plan } = JSON.parse(json);
      // As text: it has more digits than a number of JavaScript.
      const [, id] = /"query_id":(-?\d+)/.exec(text);
      return [{ id, text: query, ms: Number(ms), plan }];
    });
  }
}

/** All nodes of a plan that were executed. */
function* nodes(plan) {
  if (plan['Actual Loops'] === 0) return;
  yield plan;
  for (const child of plan.Plans ?? []) yield* nodes(child);
}

/** How a plan reaches its tables: the indexes that it reads, and what it reads whole. */
export function shapeOf(plan) {
  const scans = [...nodes(plan)].flatMap((node) => {
    if (node['Index Name'] !== undefined) return [node['Index Name']];
    if (node['Node Type'] === 'Seq Scan') return [`all of ${node['Relation Name']}`];
    return node['Node Type'] === 'Tid Scan' ? [`place in ${node['Relation Name']}`] : [];
  });
  return [...new Set(scans)].sort().join(', ');
}

/** Tables that a plan reads from end to end. */
export const readsWhole = (plan) => [...nodes(plan)].filter((node) => node['Node Type'] === 'Seq Scan').map((node) => node['Relation Name']);

/** Rows that a plan inserts, changes and deletes. */
export function rowsWritten(plan) {
  return [...nodes(plan)].filter((node) => node['Node Type'] === 'ModifyTable').reduce((sum, { Plans: [source] }) => sum + source['Actual Rows'] * source['Actual Loops'], 0);
}

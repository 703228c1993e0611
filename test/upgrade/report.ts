/** The result of upgrades, for a reader. */
import type { Era } from './load.js';
import type { Upgrade } from './upgrade.js';

/** Of the database being busy with the migration, or of an API that ends: the same call succeeds when it is repeated. Not before, nor after. */
const PASSING = [0, 503];
const CHANGING: readonly Era[] = ['beside', 'between'];

/** When tasks are submitted to which address, so that an upgrade shows something. What is refused to be beside never serves there. */
const SERVED: readonly (readonly [Era, 'old' | 'new'])[] = [['before', 'old'], ['beside', 'old'], ['beside', 'new'], ['after', 'old']];

function statuses({ load }: Upgrade, key: string): [number, number][] {
  return [...load.answers.get(key) ?? []].sort(([a], [b]) => a - b);
}

/** 409 is the answer to the cancel of a task that has ended. */
const isFine = (status: number): boolean => status >= 200 && status < 300 || status === 409;

function answers(one: Upgrade, era: Era, place: string): string {
  const counts = statuses(one, `${era} ${place}`);
  const calls = counts.reduce((sum, [, count]) => sum + count, 0);
  const bad = counts.filter(([status]) => !isFine(status)).map(([status, count]) => `${count}x ${status === 0 ? 'none' : status}`);
  return `${calls}${bad.length > 0 ? ` (${bad.join(', ')})` : ''}`;
}

/** What must not be, of an upgrade; what makes a stop necessary counts only where it was not refused. */
export function faults(one: Upgrade): string[] {
  const { findings, refusal, exitCode } = one;
  const mayPass = (key: string, status: number): boolean => PASSING.includes(status) && CHANGING.some((era) => key.startsWith(`${era} `));
  const failed = [...one.load.answers].flatMap(([key, counts]) => [...counts].filter(([status]) => !isFine(status) && !mayPass(key, status))
    .map(([status, count]) => `${key}: ${count} answers ${status}, for instance ${one.load.examples.get(`${key} ${status}`) ?? ''}`));
  return [
    ...failed,
    ...SERVED.filter(([era, place]) => (place === 'old' || refusal === null) && !statuses(one, `${era} ${place}`).some(([status]) => status === 201))
      .map(([era, place]) => `${era}: nothing was submitted to the ${place} API, so nothing is shown of it`),
    ...(findings.lost > 0 ? [`${findings.lost} acknowledged tasks are lost`] : []),
    ...(findings.unfinished > 0 ? [`${findings.unfinished} tasks do not end`] : []),
    ...(findings.wrong > 0 ? [`${findings.wrong} tasks ended otherwise than they had to`] : []),
    ...(findings.unreadable > 0 ? [`${findings.unreadable} reads of tasks, attempts and logs failed`] : []),
    ...(findings.byOldWorker === 0 ? ['the earlier worker completed nothing at the API of today'] : []),
    ...(exitCode === 0 ? [] : [`the earlier API ended with ${exitCode}`]),
    ...findings.broken,
    ...(refusal !== null && !refusal.includes('Stop every API') ? [`the API of today did not start: ${refusal}`] : []),
  ];
}

export function tell(upgrades: readonly Upgrade[]): string[] {
  const rows = [
    ['migrations', 'commit', 'upgrade', 'old API: before', 'beside', 'new API: beside', 'after', 'tasks', 'lost', 'no end', 'broken', 'old worker'],
    ...upgrades.map((one) => [
      one.level.name, one.level.commit, one.refusal === null ? 'while it serves' : 'after its stop', answers(one, 'before', 'old'), answers(one, 'beside', 'old'),
      answers(one, 'beside', 'new'), answers(one, 'after', 'old'),
      String(one.findings.tasks), String(one.findings.lost), String(one.findings.unfinished), String(one.findings.broken.length), String(one.findings.byOldWorker),
    ]),
  ];
  const widths = rows[0]?.map((_cell, n) => Math.max(...rows.map((row) => row[n]?.length ?? 0))) ?? [];
  const lines = rows.map((row) => row.map((cell, n) => cell.padEnd(widths[n] ?? 0)).join('  ').trimEnd());
  for (const one of upgrades) {
    if (one.refusal !== null) lines.push('', `from ${one.level.name}, beside the earlier API: ${one.refusal}`);
    for (const fault of faults(one)) lines.push('', `from ${one.level.name}: FAULT: ${fault}`);
  }
  return lines;
}

/** Artifacts: what was acknowledged is there and can be read, whole, as a file of its attempt; and nothing that was refused. */
import { createHash } from 'node:crypto';
import type { Download, Upload } from '../../clients/history.js';
import { groupBy, keyOf, type ArtifactRow, type Evidence, type Rule, type Violation } from '../evidence.js';

const uploads = ({ operations }: Evidence): Upload[] => operations.filter((one): one is Upload => one.verb === 'upload');

const isOf = (row: ArtifactRow, { taskId, attempt, name, sha256 }: Upload): boolean =>
  row.taskId === taskId && row.attempt === attempt && row.name === name && (sha256 === null || row.sha256 === sha256);

export const acknowledgedArtifactsAreThere: Rule = (evidence) => {
  const rows = new Map(evidence.database.artifacts.map((row) => [row.id, row]));
  return uploads(evidence).filter(({ result }) => result === 'ok').flatMap((upload): Violation[] => {
    const row = rows.get(upload.artifactId ?? '');
    if (row !== undefined && isOf(row, upload)) return [];
    const words = `${upload.name} of ${keyOf(upload)} was acknowledged as ${upload.artifactId ?? ''}, which is ${row === undefined ? 'not there' : `${row.name} of ${keyOf(row)}`}`;
    return [{ rule: 'an acknowledged artifact is there, as it was sent', taskId: upload.taskId, words }];
  });
};

/** Neither by nobody, nor by a refused upload, nor by one that was broken off: what it had sent has another SHA-256. */
export const noArtifactIsInvented: Rule = (evidence) => {
  const sent = groupBy(uploads(evidence).filter(({ result, isWhole }) => result !== 'fail' && isWhole), keyOf);
  return evidence.database.artifacts.filter((row) => !(sent.get(keyOf(row)) ?? []).some((upload) => isOf(row, upload))).map((row) => (
    { rule: 'no artifact is there that was refused, broken off or never sent', taskId: row.taskId, words: `${row.id}, ${row.name} of ${keyOf(row)}, was not sent so, or refused` }));
};

export const artifactsBelongToTheirAttempts: Rule = (evidence) => {
  const attempts = new Map(evidence.database.attempts.map((row) => [keyOf(row), row]));
  const markers = new Map(evidence.database.tasks.map(({ id, marker }) => [id, marker]));
  const sent = groupBy(uploads(evidence), keyOf);
  return evidence.database.artifacts.flatMap((row): Violation[] => {
    const said = { rule: 'an artifact is one of the attempt that left it', taskId: row.taskId };
    const sessionId = attempts.get(keyOf(row))?.sessionId;
    const words = `${row.name} of ${keyOf(row)}`;
    if (!(sent.get(keyOf(row)) ?? []).some((upload) => upload.session === sessionId && isOf(row, upload))) return [{ ...said, words: `${words} did not come from the session of that attempt` }];
    if (row.name !== TOLD) return [];
    const expected = createHash('sha256').update(`${markers.get(row.taskId) ?? ''} ${row.attempt}\n`).digest('hex');
    return row.sha256 === expected ? [] : [{ ...said, words: `${words} does not name that attempt` }];
  });
};

/** The file that task.sh leaves names the attempt. */
const TOLD = 'told';

export const artifactsCanBeRead: Rule = ({ operations, database }) => {
  const read = new Map(operations.filter((one): one is Download => one.verb === 'download' && one.result === 'ok').map((one) => [one.artifactId, one]));
  return database.artifacts.flatMap((row): Violation[] => {
    const found = read.get(row.id);
    if (found?.sha256 === row.sha256 && found.bytes === row.bytes) return [];
    return [{
      rule: 'every artifact can be read, whole', taskId: row.taskId,
      words: `${row.id}, ${row.name} of ${keyOf(row)} with ${row.bytes} bytes, ${found === undefined ? 'could not be read' : `was read with ${found.bytes ?? 0}`}`,
    }];
  });
};

/** A file of the parent's second attempt, which was sent twice, and one of a command; others were refused, or broken off. */
import { createHash } from 'node:crypto';
import type { Operation } from '../../clients/history.js';
import { CHILD, noted, note, OTHER, PARENT, SESSION, the, type Draft, type Forgery } from '../forged.js';

const TOLD = createHash('sha256').update(`marker of ${CHILD} 1\n`).digest('hex');

const upload = (at: number, taskId: string, attempt: number, name: string, sha256: string, artifactId: string | null): Operation =>
  ({ ...noted(at, at + 10), verb: 'upload', session: OTHER, taskId, attempt, name, sha256, isWhole: true, artifactId });
const download = (taskId: string, artifactId: string, sha256: string): Operation =>
  ({ ...noted(90_000, 90_010), verb: 'download', taskId, artifactId, sha256, bytes: 10 });

export function add(draft: Draft): void {
  note(
    draft,
    upload(20_600, PARENT, 2, 'own', 'aa', 'file'), upload(20_700, PARENT, 2, 'own', 'aa', 'file'), upload(25_000, CHILD, 1, 'told', TOLD, 'told'),
    { ...upload(20_800, PARENT, 2, 'own', 'bb', null), result: 'fail', code: 'artifact_exists' },
    { ...upload(20_900, PARENT, 2, 'half', 'cc', null), isWhole: false, result: 'unknown', ended: null } as Operation,
    download(PARENT, 'file', 'aa'), download(CHILD, 'told', TOLD),
  );
  draft.database.artifacts.push(
    { id: 'file', taskId: PARENT, attempt: 2, name: 'own', bytes: 10, sha256: 'aa' }, { id: 'told', taskId: CHILD, attempt: 1, name: 'told', bytes: 10, sha256: TOLD },
  );
}

const row = ({ database }: Draft, id: string) => the(database.artifacts, (one) => one.id === id);
const read = ({ operations }: Draft) => the(operations, (one) => one.verb === 'download' && one.artifactId === 'file');

export const FORGERIES: readonly Forgery[] = [
  ['acknowledgedArtifactsAreThere', 'one is gone', ({ database }) => database.artifacts.shift()],
  ['acknowledgedArtifactsAreThere', 'its bytes are others', (draft) => (row(draft, 'file').sha256 = 'dd')],
  ['acknowledgedArtifactsAreThere', 'it is one of another attempt', (draft) => (row(draft, 'file').attempt = 1)],
  ['noArtifactIsInvented', 'nobody sent it', ({ database }) => database.artifacts.push({ id: 'x', taskId: PARENT, attempt: 2, name: 'x', bytes: 1, sha256: 'ee' })],
  ['noArtifactIsInvented', 'it was refused', (draft) => (row(draft, 'file').sha256 = 'bb')],
  ['noArtifactIsInvented', 'it was broken off', ({ database }) => database.artifacts.push({ id: 'x', taskId: PARENT, attempt: 2, name: 'half', bytes: 1, sha256: 'cc' })],
  ['artifactsBelongToTheirAttempts', 'another session sent it', (draft) => {
    for (const one of draft.operations) if (one.verb === 'upload') one.session = SESSION;
  }],
  ['artifactsBelongToTheirAttempts', 'it names another', (draft) => {
    the(draft.database.tasks, ({ id }) => id === CHILD).marker = 'other';
  }],
  ['artifactsCanBeRead', 'one could not be read', (draft) => Object.assign(read(draft), { result: 'fail', code: '404' })],
  ['artifactsCanBeRead', 'it was cut off', (draft) => Object.assign(read(draft), { bytes: 9 })],
  ['artifactsCanBeRead', 'it was read otherwise', (draft) => Object.assign(read(draft), { sha256: 'ff' })],
];

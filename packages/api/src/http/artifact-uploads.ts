/**
 * Uploads: the file of a running task goes into the store as it comes, and gets its row once it is safe there. Whatever goes
 * wrong on the way, the store is left without it.
 */
import { finished } from 'node:stream/promises';
import { Router, type Request } from 'express';
import { Intake, IntakeError } from '../artifacts/intake.js';
import { newKey } from '../artifacts/open.js';
import { admitArtifact, findLeft, recordArtifact, toArtifact, type ArtifactRow } from '../queue/artifacts.js';
import { Problem } from './problem.js';
import { refusal, reporterOf } from './reporter.js';
import { queryText } from './request.js';
import type { Services } from './services.js';
import { allowTime, UPLOAD_TYPE } from './uploads.js';

/** How many uploads are taken at a time: each holds a file or a connection to the storage open, and some memory. */
const MAX_UPLOADS = 32;

export function uploadRoutes({ config, databases, artifacts: store, metrics, log }: Services): Router {
  const router = Router();
  const db = databases.logs;
  const quota = { files: config.maxAttemptArtifacts, bytes: config.maxAttemptArtifactBytes };
  let uploads = 0;
  metrics.show('task_executor_uploads', 'Artifacts that are being uploaded.', () => uploads);

  router.put('/api/v1/workers/:worker_id/tasks/:task_id/artifacts', async (req, res) => {
    if (uploads >= MAX_UPLOADS) throw new Problem('too_many_requests');
    uploads += 1;
    const time = allowTime(req);
    try {
      const row = await receive(req);
      res.status(201).location(`/api/v1/tasks/${row.task_id}/artifacts/${row.id}`).json(toArtifact(row));
    } catch (error) {
      if (error instanceof IntakeError && error.kind === 'gone') {
        res.destroy();
        return;
      }
      throw error;
    } finally {
      time.done();
      uploads -= 1;
    }
  });

  /** Takes the body of an upload, or finds that it was taken before. */
  async function receive(req: Request): Promise<ArtifactRow> {
    const reporter = reporterOf(req, config.leaseSeconds);
    const name = queryText(req, 'name') ?? '';
    const bytes = Number(req.headers['content-length']);
    if (bytes > config.maxArtifactBytes) throw new Problem('body_too_large', `At most ${config.maxArtifactBytes} bytes are taken.`);
    const earlier = await findLeft(db, reporter, name);
    if (earlier !== null) {
      if (earlier.bytes !== bytes) throw new Problem('artifact_exists');
      return sameOf(earlier, await hashOf(req));
    }
    const admission = await admitArtifact(db, reporter, bytes, quota);
    if (admission === 'not_held') throw await refusal(db, reporter);
    if (admission === 'full') throw overQuota();

    const key = newKey();
    const sha256 = await keep(req, key);
    // Where this throws nobody knows whether there is a row, and bytes that have a row must stay.
    const recorded = await recordArtifact(db, reporter, {
      name, bytes, sha256, content_type: queryText(req, 'content_type') ?? UPLOAD_TYPE, storage_key: key,
    }, quota).catch((error: unknown) => {
      log.warn({ event: 'artifact_unrecorded', storage_key: key }, 'bytes are in the storage that may belong to no artifact');
      throw error;
    });
    if (recorded.kind === 'stored') {
      metrics.artifacts.inc();
      metrics.artifactBytes.inc({ direction: 'stored' }, bytes);
      return recorded.row;
    }
    await forget(key);
    if (recorded.kind === 'not_held') throw await refusal(db, reporter);
    if (recorded.kind === 'full') throw overQuota();
    return sameOf(recorded.row, sha256);
  }

  function intakeOf(req: Request): Intake {
    const [, digest] = /^sha-256=:(.*):$/.exec(req.get('Content-Digest') ?? '') ?? [];
    return new Intake(req, { digest: digest === undefined ? null : Buffer.from(digest, 'base64'), stallMs: config.stallMs });
  }

  /** Stores the body under `key`, and returns its SHA-256. */
  async function keep(req: Request, key: string): Promise<Buffer> {
    const intake = intakeOf(req);
    try {
      await store.put(key, intake);
      return intake.sha256;
    } catch (error) {
      throw problemOfIntake(intake.errored instanceof IntakeError ? intake.errored : error);
    } finally {
      intake.destroy();
    }
  }

  /** Reads the body to nowhere, and returns its SHA-256. */
  async function hashOf(req: Request): Promise<Buffer> {
    const intake = intakeOf(req);
    try {
      await finished(intake.resume());
      return intake.sha256;
    } catch (error) {
      throw problemOfIntake(error);
    }
  }

  /** Removes bytes that no row names. Where that fails, they take room and do no other harm. */
  async function forget(key: string): Promise<void> {
    await store.remove(key).catch((error: unknown) => {
      log.warn(
        { event: 'artifact_not_removed', storage_key: key, error: String(error) },
        'bytes that belong to no artifact are left in the storage',
      );
    });
  }

  function overQuota(): Problem {
    return new Problem('artifact_quota_exceeded', `An attempt may leave ${quota.files} files with ${quota.bytes} bytes in all.`);
  }

  return router;
}

/** `row` where its content is that of `sha256`, so that a repeated upload is answered like the first. @throws Problem */
function sameOf(row: ArtifactRow, sha256: Buffer): ArtifactRow {
  if (!row.sha256.equals(sha256)) throw new Problem('artifact_exists');
  return row;
}

function problemOfIntake(error: unknown): unknown {
  if (!(error instanceof IntakeError) || error.kind === 'gone') return error;
  return new Problem(error.kind === 'late' ? 'request_timeout' : 'digest_mismatch');
}

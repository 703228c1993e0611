/** Artifacts, the files that tasks left: listed and downloaded. */
import { LIMITS } from '@task-executor/shared';
import { Router, type Response } from 'express';
import { findArtifact, listArtifacts, toArtifact, type ArtifactRow } from '../queue/artifacts.js';
import { decodeCursor, encodeCursor, idIn } from '../queue/cursor.js';
import { findTask } from '../queue/find.js';
import { Caller } from './caller.js';
import { attachment, namesTag, rangeOf } from './downloads.js';
import { write } from './outflow.js';
import { Problem } from './problem.js';
import { pathText, queryNumber, queryText } from './request.js';
import type { Services } from './services.js';

/** How many downloads are served at a time: each holds a file or a connection to the storage open. */
const MAX_DOWNLOADS = 128;

export function artifactRoutes({ config, databases, artifacts: store, metrics, log }: Services): Router {
  const router = Router();
  const db = databases.reads;
  let downloads = 0;

  router.get('/api/v1/tasks/:task_id/artifacts', async (req, res) => {
    const taskId = pathText(req, 'task_id');
    const limit = queryNumber(req, 'limit', LIMITS.maxPageSize);
    const attempt = queryNumber(req, 'attempt', null);
    const cursor = queryText(req, 'cursor');
    const after = cursor === null ? null : idIn(decodeCursor(cursor, 1)[0]);
    const rows = await listArtifacts(db, taskId, { after, attempt, limit: limit + 1 });
    if (rows.length === 0 && (await findTask(db, taskId)) === null) throw new Problem('task_not_found');
    const shown = rows.slice(0, limit);
    res.json({
      artifacts: shown.map(toArtifact),
      next_cursor: rows.length > limit ? encodeCursor([shown.at(-1)?.id ?? null]) : null,
    });
  });

  router.get('/api/v1/tasks/:task_id/artifacts/:artifact_id', async (req, res) => {
    const row = await findArtifact(db, pathText(req, 'task_id'), pathText(req, 'artifact_id'));
    if (row === null) throw new Problem('artifact_not_found');
    const etag = `"${row.sha256.toString('hex')}"`;
    // Set together with the status: an error that inherited these headers would be cached as the file for a year.
    const tagged = { ETag: etag, 'Cache-Control': 'private, max-age=31536000, immutable' };
    if (namesTag(req.get('If-None-Match'), etag)) {
      res.writeHead(304, tagged).end();
      return;
    }
    const asked = [undefined, etag].includes(req.get('If-Range')) ? req.get('Range') : undefined;
    const part = rangeOf(asked, row.bytes);
    if (part === null) {
      throw new Problem('range_not_satisfiable', `The file has ${row.bytes} bytes.`, {}, { 'Content-Range': `bytes */${row.bytes}` });
    }
    if (downloads >= MAX_DOWNLOADS) throw new Problem('too_many_requests');
    downloads += 1;
    try {
      await send(res, row, part, tagged);
    } finally {
      downloads -= 1;
    }
  });

  async function send(
    res: Response, row: ArtifactRow, { range, partial }: NonNullable<ReturnType<typeof rangeOf>>, tagged: Readonly<Record<string, string>>,
  ): Promise<void> {
    const bytes = range.last - range.first + 1;
    const empty = bytes === 0 || res.locals.head === true;
    const head = {
      ...tagged,
      'Content-Disposition': attachment(row.name),
      'Content-Type': row.content_type,
      'Content-Length': bytes,
      ...(partial && { 'Content-Range': `bytes ${range.first}-${range.last}/${row.bytes}` }),
      'Repr-Digest': `sha-256=:${row.sha256.toString('base64')}:`,
      'Accept-Ranges': 'bytes',
      // What a task left is never run as a page of this server's.
      'Content-Security-Policy': "default-src 'none'; sandbox",
    };
    const content = empty ? null : await store.open(row.storage_key, range);
    const caller = new Caller(res);
    res.writeHead(partial ? 206 : 200, head);
    try {
      for await (const chunk of content ?? []) await write(res, chunk as Buffer, caller, config.stallMs);
      res.end();
      metrics.artifactBytes.inc({ direction: 'sent' }, empty ? 0 : bytes);
    } catch (error) {
      if (!caller.gone) log.warn({ event: 'download_broken_off', artifact_id: row.id, error: String(error) }, 'a download was broken off');
      res.destroy();
    }
  }

  return router;
}

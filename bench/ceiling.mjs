/**
 * The ceiling: a plain Express application that validates against openapi.yaml with express-openapi-validator, answers a
 * submission as the API does, and stores nothing. What an API of this make could do at most where the queue costs nothing.
 * Run as a process of its own; tells its parent { url }.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { root } from '../scripts/lib/run.mjs';
import { express as loadExpress, openApiValidator } from './lib/packages.mjs';

const express = loadExpress();
const app = express();
app.use(express.json());
app.use(openApiValidator().middleware({ apiSpec: join(root, 'openapi.yaml'), validateApiSpec: false, validateResponses: false, fileUploader: false }));
app.post('/api/v1/tasks', (req, res) => {
  const id = randomUUID();
  const now = new Date().toISOString();
  res.status(201).location(`/api/v1/tasks/${id}`).json({
    id, name: null, problem_id: req.body.problem_id, status: 'pending', reason: 'ready', parameters: req.body.parameters, labels: {}, priority: 5,
    backend_type: null, timeout_seconds: 1800, attempt: 0, max_attempts: 1, max_lost: 3, worker_id: null, result: null, error_details: null,
    created_at: now, updated_at: now, started_at: null, completed_at: null,
  });
});
app.use((error, _req, res, _next) => {
  res.status(error.status ?? 500).json({ title: error.message });
});
process.on('disconnect', () => process.exit(0));
const server = app.listen(0, '127.0.0.1', () => process.send({ url: `http://127.0.0.1:${server.address().port}` }));

/**
 * express-openapi-validator compiles an operation's schemas at its first request (5.6). That takes long enough to be felt, and
 * a mistake in the contract would show only then; so each operation is asked once before the server listens. The requests
 * have a query parameter that no operation knows: the validator compiles, refuses, and no handler is reached.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type ErrorRequestHandler, type RequestHandler } from 'express';
import { request } from 'undici';
import { parseContract } from './contract.js';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

interface Operations {
  readonly paths: Record<string, Partial<Record<(typeof METHODS)[number], { requestBody?: { content: object } }>>>;
}

/** Compiles every operation of the contract in `validator`. @throws where one cannot be compiled */
export async function compileContract(validator: RequestHandler[]): Promise<void> {
  const refuse: ErrorRequestHandler = (error: { status?: number; message?: string }, _req, res, next) => {
    if (res.headersSent) {
      next(error);
      return;
    }
    res.status(error.status ?? 500).send(error.message ?? '');
  };
  const app = express();
  app.use(express.json(), validator, refuse);
  const server = createServer(app);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  try {
    const { port } = server.address() as AddressInfo;
    for (const [template, operations] of Object.entries((parseContract() as unknown as Operations).paths)) {
      for (const method of METHODS) {
        const operation = operations[method];
        if (operation === undefined) continue;
        const path = template.replace(/\{[^}]+\}/g, 'x');
        const { statusCode, body } = await request(`http://127.0.0.1:${port}${path}?compile=only`, {
          method: method.toUpperCase() as 'GET',
          ...(operation.requestBody === undefined ? {} : {
            headers: { 'content-type': Object.keys(operation.requestBody.content)[0] ?? '' }, body: '{}',
          }),
        });
        const answer = await body.text();
        if (statusCode !== 400) throw new Error(`${method} ${template} cannot be compiled: ${answer}`);
      }
    }
  } finally {
    await close(server);
  }
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
}

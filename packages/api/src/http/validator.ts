/**
 * The contract's validator. express-openapi-validator compiles an operation's schemas at its first request (5.6); that takes
 * long enough to be felt, and a mistake in the contract would show only then. So each operation is asked once before the
 * server listens. The requests have a query parameter that no operation knows: the validator compiles, refuses, and no
 * handler is reached. On the way its own look-up of each operation is kept, which http/locate stands in for from then on.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type ErrorRequestHandler, type RequestHandler } from 'express';
import * as OpenApiValidator from 'express-openapi-validator';
import type { OpenAPIV3 } from 'express-openapi-validator/dist/framework/types.js';
import { request } from 'undici';
import { parseContract } from './contract.js';
import { requestsOnly } from './requests-only.js';
import { locate, OperationTree, type LocatedRequest } from './locate.js';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

interface Operations {
  readonly paths: Record<string, Partial<Record<(typeof METHODS)[number], { requestBody?: { content: object } }>>>;
}

/** The validator's middlewares, by the names that it gives them. */
const LOOK_UP = 'metadataMiddleware';
const VALIDATION = 'requestMiddleware';

/** What finds the operation of a request and validates the request by it. @throws where the contract cannot be compiled */
export async function createValidator(): Promise<RequestHandler[]> {
  const middlewares = OpenApiValidator.middleware({
    apiSpec: requestsOnly(parseContract()) as unknown as OpenAPIV3.DocumentV3,
    validateRequests: { allowUnknownQueryParameters: false, coerceTypes: false },
    validateResponses: false,
    // The linter has, when the contract was written.
    validateApiSpec: false,
    validateSecurity: false,
    fileUploader: false,
    ajvFormats: { mode: 'full' },
  }) as unknown as RequestHandler[];
  const lookUp = middlewares.findIndex(({ name }) => name === LOOK_UP);
  const validation = middlewares.find(({ name }) => name === VALIDATION);
  if (lookUp < 0 || validation === undefined) {
    throw new Error('express-openapi-validator is not made of the parts that it was');
  }
  const tree = new OperationTree();
  const keep: RequestHandler = (req: LocatedRequest, _res, next) => {
    if (req.openapi !== undefined) tree.add(req.method, req.openapi.openApiRoute, req.openapi);
    next();
  };
  await compileContract([...middlewares.slice(0, lookUp + 1), keep, ...middlewares.slice(lookUp + 1)]);
  return [locate(tree), validation];
}

/** Asks every operation of the contract once. */
async function compileContract(validator: RequestHandler[]): Promise<void> {
  const refuse: ErrorRequestHandler = (error: { status?: number; message?: string }, _req, res, next) => {
    if (res.headersSent) {
      next(error);
      return;
    }
    res.status(error.status ?? 500).send(error.message ?? '');
  };
  const app = express();
  app.use(express.json(), validator, refuse);
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
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
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }
}

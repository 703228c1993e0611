/** Swagger UI and ReDoc, from npm packages, without a byte from another host. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import express, { Router, type Response } from 'express';

const require = createRequire(import.meta.url);

/** The build copies ReDoc's bundle beside the code, so that its package need not be deployed. */
function redocFolder(): string {
  const copied = fileURLToPath(new URL('../assets/', import.meta.url));
  return existsSync(`${copied}redoc.standalone.js`) ? copied : dirname(require.resolve('redoc/bundles/redoc.standalone.js'));
}

// Both viewers style elements inline and ReDoc searches in a worker made from a blob; scripts come from here alone.
const POLICY = [
  "default-src 'none'", "script-src 'self'", "style-src 'self' 'unsafe-inline'", "img-src 'self' data:", "font-src 'self'",
  "connect-src 'self'", 'worker-src blob:', "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
].join('; ');

function page(title: string, head: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title>${head}</head>
<body>${body}</body>
</html>
`;
}

const SWAGGER_PAGE = page(
  'Task Executor: Swagger UI',
  '<link rel="stylesheet" href="/docs/assets/swagger-ui.css">',
  '<div id="swagger-ui"></div><script src="/docs/assets/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script>',
);
const SWAGGER_START = "SwaggerUIBundle({ url: '/openapi.json', dom_id: '#swagger-ui', deepLinking: true, validatorUrl: null });\n";
const REDOC_PAGE = page(
  'Task Executor: ReDoc',
  '',
  '<div id="redoc"></div><script src="/redoc/redoc.standalone.js"></script><script src="/redoc/start.js"></script>',
);
const REDOC_START = "Redoc.init('/openapi.json', { hideDownloadButton: false }, document.getElementById('redoc'));\n";

function send(res: Response, type: string, text: string): void {
  res.setHeader('Content-Security-Policy', POLICY);
  res.setHeader('Referrer-Policy', 'no-referrer');
  res.type(type).send(text);
}

export function pageRoutes(): Router {
  const router = Router();
  const assets = dirname(require.resolve('swagger-ui-dist/package.json'));
  const options = { index: false, redirect: false, maxAge: '1h' };
  router.get('/docs', (_req, res) => {
    send(res, 'html', SWAGGER_PAGE);
  });
  router.get('/docs/start.js', (_req, res) => {
    send(res, 'js', SWAGGER_START);
  });
  router.use('/docs/assets', express.static(assets, options));
  router.get('/redoc', (_req, res) => {
    send(res, 'html', REDOC_PAGE);
  });
  router.get('/redoc/start.js', (_req, res) => {
    send(res, 'js', REDOC_START);
  });
  router.get('/redoc/redoc.standalone.js', (_req, res) => {
    res.sendFile('redoc.standalone.js', { root: redocFolder(), maxAge: '1h' });
  });
  return router;
}

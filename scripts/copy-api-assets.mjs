/**
 * The end of the API's build: what it serves besides its code goes to dist/assets/ (the contract, and ReDoc's bundle, a
 * development dependency, so that its many dependencies are not deployed), and dist/main.js becomes executable.
 */
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const api = join(root, 'packages', 'api');
const assets = join(api, 'dist', 'assets');
const redoc = join(dirname(createRequire(join(api, 'package.json')).resolve('redoc/package.json')), 'bundles', 'redoc.standalone.js');

await mkdir(assets, { recursive: true });
await copyFile(join(root, 'openapi.yaml'), join(assets, 'openapi.yaml'));
await copyFile(redoc, join(assets, 'redoc.standalone.js'));
await copyFile(`${redoc}.LICENSE.txt`, join(assets, 'redoc.standalone.js.LICENSE.txt'));

const program = join(api, 'dist', 'main.js');
if (existsSync(program)) await chmod(program, 0o755);

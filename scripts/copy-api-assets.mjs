/**
 * The end of the API's build: what it serves besides its code goes to dist/assets/ (the contract, as JSON, too, and ReDoc's bundle, a
 * development dependency, so that its many dependencies are not deployed), and dist/main.js becomes executable.
 */
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const api = join(root, 'packages', 'api');
const assets = join(api, 'dist', 'assets');
const require = createRequire(join(api, 'package.json'));
const redoc = join(dirname(require.resolve('redoc/package.json')), 'bundles', 'redoc.standalone.js');

await mkdir(assets, { recursive: true });
await copyFile(join(root, 'openapi.yaml'), join(assets, 'openapi.yaml'));
await writeFile(join(assets, 'openapi.json'), JSON.stringify(require('yaml').parse(await readFile(join(root, 'openapi.yaml'), 'utf8'))));
await copyFile(redoc, join(assets, 'redoc.standalone.js'));
await copyFile(`${redoc}.LICENSE.txt`, join(assets, 'redoc.standalone.js.LICENSE.txt'));

const program = join(api, 'dist', 'main.js');
if (existsSync(program)) await chmod(program, 0o755);

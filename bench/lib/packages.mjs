/** The libraries that the API is built on, at the API's versions: what is measured and what measures it agree. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { root } from '../../scripts/lib/run.mjs';

const require = createRequire(join(root, 'packages/api/package.json'));

export const pg = require('pg');
export const undici = require('undici');
export const express = () => require('express');
export const openApiValidator = () => require('express-openapi-validator');

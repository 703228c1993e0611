/** What every call carries for whatever stands before the API: `--header`, given once or several times, else API_HEADERS. */
import { parseApiHeaders, type ApiHeaders } from '@task-executor/shared';
import { EXIT, Failure } from '../exit.js';

/** @throws Failure with every mistake, and without a value */
export function resolveHeaders(options: { header?: readonly string[] }, environment: NodeJS.ProcessEnv): ApiHeaders {
  const [from, text] = options.header === undefined ? ['API_HEADERS', environment['API_HEADERS'] ?? ''] : ['--header', options.header.join('\n')];
  const { headers, mistakes } = parseApiHeaders(text);
  if (mistakes.length > 0) throw new Failure(EXIT.usage, mistakes.map((mistake) => `${from}: ${mistake}.`).join('\n'));
  return headers;
}

/** `context`: names for the addresses of APIs. `config`: which one is called, and why. */
import type { Command } from 'commander';
import { checkName, contextsPath, readContexts, writeContexts } from '../contexts.js';
import { EXIT, Failure } from '../exit.js';
import { parseApiUrl } from '../input/values.js';
import { perform, performLocally } from '../invocation.js';
import { showFields, showList, type ListStyle } from '../output/show.js';

interface Context {
  readonly name: string;
  readonly url: string;
  /** Whether it is in use. */
  readonly current: boolean;
}

const CONTEXTS: ListStyle<Context> = {
  columns: [{ title: '' }, { title: 'NAME' }, { title: 'URL' }],
  rowOf: (one) => [one.current ? '*' : '', one.name, one.url],
  none: 'There is no context; make one: task-executor context set NAME --url URL',
};

export function addContext(program: Command): void {
  const context = program.command('context').description('names for the addresses of APIs');
  const path = contextsPath(process.env);

  const list = context.command('list').description('list contexts');
  list.action(() => performLocally(list, async (invocation) => {
    const { current, urls } = await readContexts(path);
    await showList(invocation, Object.entries(urls).map(([name, url]) => ({ name, url, current: name === current })), CONTEXTS);
  }));

  const set = context.command('set')
    .description('make or change a context; the first one is used from then on')
    .argument('<name>', 'its name', checkName)
    .requiredOption('--url <url>', 'where its API is', parseApiUrl);
  set.action((name: string, { url }: { url: string }) => performLocally(set, async ({ terminal, json }) => {
    const { current, urls } = await readContexts(path);
    await writeContexts(path, { current: current ?? name, urls: { ...urls, [name]: url } });
    if (json) await terminal.json({ name, url, current: (current ?? name) === name });
    else await terminal.line(`${name}: ${url}`);
  }));

  const use = context.command('use').description('use a context from now on').argument('<name>', 'its name', checkName);
  use.action((name: string) => performLocally(use, async ({ terminal, json }) => {
    const { urls } = await readContexts(path);
    if (!Object.hasOwn(urls, name)) throw new Failure(EXIT.notFound, `There is no context "${name}" in ${path}.`);
    await writeContexts(path, { current: name, urls });
    if (json) await terminal.json({ name, url: urls[name], current: true });
    else await terminal.line(`${name}: ${urls[name] ?? ''}`);
  }));

  const remove = context.command('delete').description('forget a context').argument('<name>', 'its name', checkName);
  remove.action((name: string) => performLocally(remove, async ({ terminal, json }) => {
    const { current, urls } = await readContexts(path);
    if (!Object.hasOwn(urls, name)) throw new Failure(EXIT.notFound, `There is no context "${name}" in ${path}.`);
    const others = Object.fromEntries(Object.entries(urls).filter(([other]) => other !== name));
    await writeContexts(path, { current: current === name ? null : current, urls: others });
    if (!json) await terminal.line(name);
  }));

  const config = program.command('config').description('say which API is called, and what says so');
  config.action(() => perform(config, async (invocation) => {
    const shown = { url: invocation.address.url, from: invocation.address.from, file: path };
    await showFields(invocation, shown, Object.entries(shown));
  }));
}

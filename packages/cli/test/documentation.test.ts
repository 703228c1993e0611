/** docs/cli.md against the program: every command and every exit code is there. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { expect } from 'chai';
import { createProgram } from '../src/cli.js';
import { EXIT_MEANINGS } from '../src/exit.js';

const guide = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8');

function pathsOf(command: Command, path: readonly string[] = []): string[] {
  if (command.commands.length === 0) return [path.join(' ')];
  return command.commands.flatMap((one) => pathsOf(one, [...path, one.name()]));
}

describe('docs/cli.md', () => {
  for (const path of pathsOf(createProgram())) {
    it(`speaks of ${path}`, () => {
      expect(guide).to.match(new RegExp(`(task-executor |\`)${path}[ \`\n]`));
    });
  }

  it('names the exit codes as --help does', () => {
    const rows = [...guide.matchAll(/^\| (\d+) \| (.*) \|$/gm)].map(([, code, meaning]) => [Number(code), meaning]);
    expect(rows).to.deep.equal(EXIT_MEANINGS.map(([code, meaning]) => [code, meaning]));
  });

  it('shows no command that there is not', () => {
    const known = pathsOf(createProgram());
    const shown = [...guide.matchAll(/npx task-executor ([a-z][a-z -]*)/g)].map(([, words]) => words ?? '');
    for (const words of shown) expect(known.some((path) => `${words} `.startsWith(`${path} `)), words).to.equal(true);
  });

  it('is followed by options that say what they are for', () => {
    const all = (command: Command): Command[] => [command, ...command.commands.flatMap(all)];
    for (const command of all(createProgram())) {
      expect(command.description(), command.name()).to.not.equal('');
      for (const option of command.options) expect(option.description, `${command.name()} ${option.flags}`).to.not.equal('');
    }
  });
});

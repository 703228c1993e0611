/** Completion scripts for shells, made from the commands themselves. */
import type { Command, Option } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

interface Word {
  readonly word: string;
  readonly meaning: string;
}

/** What may follow the words that lead to a command. */
interface Place {
  /** Those words, such as `workflow submit`; empty at the beginning. */
  readonly path: string;
  readonly commands: readonly Word[];
  readonly options: readonly (Word & { readonly choices: readonly string[]; readonly takesValue: boolean })[];
}

export function completionFor(shell: Shell, program: Command): string {
  const places = placesOf(program, '', []);
  return { bash, zsh, fish }[shell](program.name(), places);
}

function placesOf(command: Command, path: string, inherited: readonly Option[]): Place[] {
  const options = [...command.options, ...inherited].filter((option) => !option.hidden);
  const inner = command.commands.flatMap((one) => [one.name(), ...one.aliases()].map((name) => ({ name, command: one })));
  const here: Place = {
    path,
    commands: inner.map(({ name, command: one }) => ({ word: name, meaning: one.description() })),
    options: options.flatMap((option) => [option.long, option.short].filter((name) => name != null).map((word) => ({
      word, meaning: option.description, choices: option.argChoices ?? [], takesValue: option.required,
    }))),
  };
  return [here, ...inner.flatMap(({ name, command: one }) => placesOf(one, path === '' ? name : `${path} ${name}`, options))];
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Each command after the path that it stands in, as a pattern for `case`: `' list'|'workflow submit'`. */
function steps(places: readonly Place[]): string {
  return places.flatMap(({ path, commands }) => commands.map(({ word }) => quoted(`${path} ${word}`))).join('|');
}

function wordsAt({ commands, options }: Place): readonly Word[] {
  return [...commands, ...options];
}

/** The words that an option takes, by the option; those that take any are left out. */
function choicesOf(places: readonly Place[]): ReadonlyMap<string, readonly string[]> {
  const options = places.flatMap((place) => place.options).filter(({ choices }) => choices.length > 0);
  return new Map(options.map(({ word, choices }) => [word, choices]));
}

function functionName(name: string): string {
  return `_${name.replaceAll('-', '_')}`;
}

function bash(name: string, places: readonly Place[]): string {
  const choices = choicesOf(places);
  return `# bash completion for ${name}: source <(${name} completion bash)
${functionName(name)}() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} at='' word words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$at $word" in
      ${steps(places)}) at="\${at:+$at }$word" ;;
    esac
  done
  case $at in
${places.map((place) => `    ${quoted(place.path)}) words=${quoted(wordsAt(place).map(({ word }) => word).join(' '))} ;;`).join('\n')}
  esac
  case $before in
${[...choices].map(([word, values]) => `    ${quoted(word)}) words=${quoted(values.join(' '))} ;;`).join('\n')}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o default -F ${functionName(name)} ${name}
`;
}

function zsh(name: string, places: readonly Place[]): string {
  const entry = ({ word, meaning }: Word): string => quoted(`${word.replaceAll(':', '\\:')}:${meaning.replaceAll(':', '\\:')}`);
  const choices = choicesOf(places);
  return `#compdef ${name}
# zsh completion for ${name}: source <(${name} completion zsh)
${functionName(name)}() {
  local at='' word
  local -a found
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$at $word" in
      ${steps(places)}) at="\${at:+$at }$word" ;;
    esac
  done
  case $words[CURRENT-1] in
${[...choices].map(([word, values]) => `    ${word}) compadd -- ${values.map(quoted).join(' ')}; return ;;`).join('\n')}
  esac
  case $at in
${places.map((place) => `    ${quoted(place.path)}) found=(${wordsAt(place).map(entry).join(' ')}) ;;`).join('\n')}
  esac
  _describe ${quoted(name)} found
  _files
}
compdef ${functionName(name)} ${name}
`;
}

function fish(name: string, places: readonly Place[]): string {
  const at = `_${functionName(name)}_at`;
  const command = (path: string, { word, meaning }: Word): string =>
    `complete -c ${name} -n ${quoted(`${at} "${path}"`)} -f -a ${quoted(word)} -d ${quoted(meaning)}`;
  const option = (path: string, { word, meaning, choices, takesValue }: Place['options'][number]): string => {
    const flag = word.startsWith('--') ? `-l ${word.slice(2)}` : `-s ${word.slice(1)}`;
    const values = choices.length > 0 ? ` -x -a ${quoted(choices.join(' '))}` : takesValue ? ' -r' : '';
    return `complete -c ${name} -n ${quoted(`${at} "${path}"`)} ${flag} -d ${quoted(meaning)}${values}`;
  };
  const lines = places.flatMap(({ path, commands, options }) => [
    ...commands.map((one) => command(path, one)),
    ...options.map((one) => option(path, one)),
  ]);
  return `# fish completion for ${name}: ${name} completion fish | source
function ${at}
    set -l at ''
    for word in (commandline -opc)[2..]
        switch "$at $word"
            case ${steps(places).replaceAll('|', ' ')}
                set at (string trim "$at $word")
        end
    end
    test "$at" = "$argv[1]"
end
${lines.join('\n')}
`;
}

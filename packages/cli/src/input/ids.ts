/** Parsers of ids. They throw InvalidArgumentError: what is no id must not become another path of the API, as an empty one would. */
import { WORKER_ID } from '@task-executor/shared';
import { Argument, InvalidArgumentError } from 'commander';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const EXAMPLE = '0199a3c5-7f10-7c3e-9d41-5f0f6f1f9b01';

/** A parser for the id of a `thing`, in the form in which the API gives it. */
function parseId(thing: string): (text: string) => string {
  return (text) => {
    if (!UUID.test(text)) throw new InvalidArgumentError(`It must be the id of a ${thing}, such as ${EXAMPLE}.`);
    return text.toLowerCase();
  };
}

export const parseTaskId = parseId('task');

function parseWorkerId(text: string): string {
  if (!WORKER_ID.test(text)) throw new InvalidArgumentError('It must be the id of a worker, such as worker-001-kind.');
  return text;
}

/** The argument for the id of a `thing`. */
export function idArgument(thing: string): Argument {
  return new Argument('<id>', `the id of a ${thing}`).argParser(parseId(thing));
}

/** The argument for the id of a worker. */
export function workerArgument(): Argument {
  return new Argument('<id>', 'the id of a worker, such as worker-001-kind').argParser(parseWorkerId);
}

type Collector = (text: string, before: readonly string[] | undefined) => string[];

/** A parser for several ids of tasks; each is kept once. A text that `isOther` is none, and stays. */
export function taskIds(isOther: (text: string) => boolean = () => false): Collector {
  return (text, before) => [...new Set([...(before ?? []), isOther(text) ? text : parseTaskId(text)])];
}

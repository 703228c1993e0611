/** The final report of an attempt, as the worker knows it and the spool keeps it. */
import type { components } from '@task-executor/shared';

type Schemas = components['schemas'];

export type Report =
  | { readonly verb: 'complete'; readonly body: Record<string, unknown> }
  | { readonly verb: 'fail'; readonly body: Schemas['Failure'] }
  | { readonly verb: 'release'; readonly body: Schemas['Release'] };

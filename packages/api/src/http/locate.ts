/**
 * Which operation of the contract a request is for: its path and method looked up in a tree of path segments. The validator
 * (express-openapi-validator 5.6) would compile the expression of every path anew for each request, which costs several
 * times what all its validation does; so this replaces its look-up, with what that found when the contract was compiled.
 */
import type { Request, RequestHandler } from 'express';
import { Problem } from './problem.js';

/** What the validator's own look-up leaves on a request. */
export interface Located {
  readonly expressRoute: string;
  readonly openApiRoute: string;
  readonly schema: { readonly operationId?: string };
}

export type LocatedRequest = Request & { openapi?: Located & { pathParams: Record<string, string> } };

interface Node {
  readonly literals: Map<string, Node>;
  parameter: { readonly name: string; readonly node: Node } | null;
  readonly operations: Map<string, Located>;
}

function newNode(): Node {
  return { literals: new Map(), parameter: null, operations: new Map() };
}

function segmentsOf(path: string): string[] {
  const segments = path.split('/');
  if (segments.length > 2 && segments.at(-1) === '') segments.pop();
  return segments;
}

/** A tree of all operations, each given with its method and its path as the contract writes it. */
export class OperationTree {
  readonly #root = newNode();

  add(method: string, template: string, located: Located): void {
    let node = this.#root;
    for (const segment of segmentsOf(template)) {
      const name = /^\{(.+)\}$/.exec(segment)?.[1];
      if (name === undefined) {
        const next = node.literals.get(segment) ?? newNode();
        node.literals.set(segment, next);
        node = next;
      } else {
        node.parameter ??= { name, node: newNode() };
        if (node.parameter.name !== name) throw new Error(`${template}: the same place is named ${node.parameter.name} elsewhere`);
        node = node.parameter.node;
      }
    }
    node.operations.set(method.toUpperCase(), located);
  }

  /** The operation of a path, with its parameters. Literal segments come before parameters. @throws Problem */
  find(method: string, path: string): { located: Located; pathParams: Record<string, string> } {
    const segments = segmentsOf(path);
    const pathParams: Record<string, string> = {};
    const node = descend(this.#root, segments, 0, pathParams);
    if (node === null) throw new Problem('path_not_found');
    const located = node.operations.get(method);
    if (located === undefined) {
      throw new Problem('method_not_allowed', `${method} is not taken here.`, {}, { Allow: [...node.operations.keys()].join(', ') });
    }
    return { located, pathParams };
  }
}

function descend(node: Node, segments: readonly string[], at: number, pathParams: Record<string, string>): Node | null {
  const segment = segments[at];
  if (segment === undefined) return node.operations.size > 0 ? node : null;
  const literal = node.literals.get(segment);
  const found = literal === undefined ? null : descend(literal, segments, at + 1, pathParams);
  if (found !== null || node.parameter === null || segment === '') return found;
  const below = descend(node.parameter.node, segments, at + 1, pathParams);
  if (below !== null) pathParams[node.parameter.name] = decodeURIComponent(segment);
  return below;
}

/** Puts on each request what the validator and the handlers go by. */
export function locate(tree: OperationTree): RequestHandler {
  return (req: LocatedRequest, _res, next) => {
    const { located, pathParams } = tree.find(req.method, req.path);
    req.openapi = { ...located, pathParams };
    req.params = pathParams;
    next();
  };
}

import type { FastifyInstance } from 'fastify';
import { Problem } from './problem.ts';

/** The methods of each path that has a route. */
export class KnownPaths {
  readonly #methods = new Map<string, { readonly path: RegExp; readonly names: Set<string> }>();

  /** Every route must be added later. */
  constructor(app: FastifyInstance) {
    app.addHook('onRoute', ({ url, method }) => {
      const known = this.#methods.get(url) ?? { path: pathOf(url), names: new Set() };
      this.#methods.set(url, known);
      for (const name of [method].flat()) known.names.add(name);
    });
  }

  /** 405 for a path that exists under another method, otherwise 404. */
  notFound(url: string, service: string): Problem {
    const [path = ''] = url.split('?', 1);
    const known = [...this.#methods.values()].find((one) => one.path.test(path));
    if (known === undefined)
      return new Problem({
        kind: 'not-found',
        code: 'PATH_UNKNOWN',
        detail: `Expected a path of the ${service}; found another. GET / lists them.`,
      });
    // As RFC 9110 §10.2.1 names them.
    const allow = [...known.names].sort().join(', ');
    return new Problem({
      kind: 'method-not-allowed',
      code: 'METHOD_NOT_ALLOWED',
      detail: `Expected ${allow} here; found another method.`,
      headers: { allow },
    });
  }
}

/** The paths of a route: `:name` stands for a segment, a `*` at the end for anything. */
function pathOf(url: string): RegExp {
  const segments = url.split('/').map((segment) => {
    if (segment.startsWith(':')) return '[^/]+';
    return segment === '*' ? '.*' : segment.replaceAll(/[^\w-]/g, String.raw`\$&`);
  });
  return new RegExp(`^${segments.join('/')}$`);
}

import { Problem } from './problem.ts';

const METHODS: readonly (readonly [path: RegExp, allow: string])[] = [
  [/^\/events$/, 'POST'],
  [/^\/(?:livez|readyz|metrics|submissions\/[^/]+|consents\/[^/]+)?$/, 'GET, HEAD'],
];

/** 405 for a path that exists under another method, otherwise 404. */
export function notFound(url: string): Problem {
  const [path = ''] = url.split('?', 1);
  const allow = METHODS.find(([pattern]) => pattern.test(path))?.[1];
  if (allow === undefined)
    return new Problem({
      kind: 'not-found',
      code: 'PATH_UNKNOWN',
      detail: 'Expected a path of the intake; found another. GET / lists them.',
    });
  return new Problem({
    kind: 'method-not-allowed',
    code: 'METHOD_NOT_ALLOWED',
    detail: `Expected ${allow} here; found another method.`,
    headers: { allow },
  });
}

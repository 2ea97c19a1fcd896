import { codeOf, remedyOf } from '@residency/coded-error';
import { Problem, unavailable } from './problem.ts';

/** Whatever a handler or the framework threw, as an answer. Foreign messages may quote input, so none is passed on. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  // Only codes of ours, which are literals: the framework's and Node's own come without a remedy.
  const code = codeOf(error);
  if (code !== undefined) return portFailed(code, error);
  switch (error instanceof Error && 'statusCode' in error ? error.statusCode : undefined) {
    case 400:
    case 414:
      return new Problem({
        kind: 'invalid-request',
        code: 'MALFORMED_REQUEST',
        detail:
          'Expected a well-formed HTTP request; found a path or header that is not. Correct it and send it again.',
      });
    case 415:
      return new Problem({
        kind: 'unsupported-media-type',
        code: 'CONTENT_TYPE_UNSUPPORTED',
        detail:
          'Expected a content type that is a media type (RFC 9110 §8.3); found something else. Correct it and send it again.',
      });
    default:
      return new Problem({
        kind: 'internal',
        code: 'INTERNAL',
        detail:
          'Expected to answer; found a defect in the intake. Nothing of this request was acknowledged; its operator finds the cause in the log.',
        cause: error,
      });
  }
}

/** The log or a view behind a port said no: what `retry` waits for passes soon, all else needs a person first. */
function portFailed(code: string, error: unknown): Problem {
  const seconds = remedyOf(error) === 'retry' ? 5 : 30;
  return unavailable(
    code,
    `Expected the log behind the intake to do its part; found that it can not now (${code}). Nothing of this request was acknowledged: send it again after the time in Retry-After.`,
    seconds,
    error,
  );
}

import { FIRST } from './protocol.ts';
import type { Protocol } from './protocol.ts';

export interface HttpRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
}

const HEAD_END = '\r\n\r\n';
const INTERIM = /^HTTP\/1\.1 1\d\d/;

/**
 * HTTP/1.1 for clients without pipelining: a client sends no request before the response to the
 * last one, so bodies need not be counted.
 */
export const http: Protocol<HttpRequest> = {
  takeRequest: (bytes, waiting) => {
    if (waiting > 0) return { size: bytes.length };
    const end = bytes.indexOf(HEAD_END);
    if (end < 0) return undefined;
    const [start = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
    const [, method, path] = /^([A-Z]+) (\S+) HTTP\/1\.1$/.exec(start) ?? [];
    // The rest of a body whose request was answered early.
    if (method === undefined || path === undefined) return { size: bytes.length };
    const headers = new Map(
      lines.map((line) => [
        line.slice(0, line.indexOf(':')).toLowerCase(),
        line.slice(line.indexOf(':') + 1).trim(),
      ]),
    );
    return { size: bytes.length, request: { method, path, headers } };
  },
  // `100 Continue` is not the response.
  takeAnswer: (bytes) =>
    INTERIM.test(bytes.toString('latin1', 0, 12))
      ? { size: bytes.length }
      : { size: bytes.length, answers: FIRST },
};

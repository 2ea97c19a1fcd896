import type { FastifyRequest } from 'fastify';

/**
 * The reason to refuse a request's `Transfer-Encoding`; `undefined`: none. The parser reads the
 * body of `gzip, chunked` and passes the compressed bytes on as if they were the content. RFC 9112
 * §6.1: an unknown coding is 501; in HTTP/1.0 any coding is faulty.
 */
export function refusedTransferCoding({
  headers,
  httpVersion,
}: Pick<FastifyRequest['raw'], 'headers' | 'httpVersion'>):
  | 'not-implemented'
  | 'faulty'
  | undefined {
  const field = headers['transfer-encoding'];
  if (field === undefined) return undefined;
  if (httpVersion !== '1.1') return 'faulty';
  const codings = field
    .split(',')
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== '');
  return codings.length === 1 && codings[0] === 'chunked' ? undefined : 'not-implemented';
}

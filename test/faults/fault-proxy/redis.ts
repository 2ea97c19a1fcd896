import { FIRST } from './protocol.ts';
import type { Protocol } from './protocol.ts';

export interface RedisRequest {
  /** In upper case, such as EVALSHA. */
  readonly command: string;
  readonly args: readonly string[];
}

/**
 * RESP 2 and 3. Responses come in the order of the commands; push messages of the server are not
 * responses.
 */
export const redis: Protocol<RedisRequest> = {
  takeRequest: (bytes) => {
    const size = valueSize(bytes, 0);
    if (size === undefined) return undefined;
    const [command = '', ...args] = words(bytes.subarray(0, size));
    return { size, request: { command: command.toUpperCase(), args } };
  },
  takeAnswer: (bytes) => {
    const size = valueSize(bytes, 0);
    if (size === undefined) return undefined;
    return bytes.toString('latin1', 0, 1) === '>' ? { size } : { size, answers: FIRST };
  },
};

const STRINGS = new Set(['$', '=', '!']);
const LISTS = new Set(['*', '~', '>']);
const MAPS = new Set(['%', '|']);

/**
 * The length of the value at `at`; `undefined`: it is incomplete. Unknown types are read as one
 * line.
 */
function valueSize(bytes: Buffer, at: number): number | undefined {
  const end = bytes.indexOf('\r\n', at);
  if (end < 0) return undefined;
  const [kind, count] = [
    bytes.toString('latin1', at, at + 1),
    Number(bytes.toString('latin1', at + 1, end)),
  ];
  let next = end + 2;
  if (STRINGS.has(kind)) next += count < 0 ? 0 : count + 2;
  const values = LISTS.has(kind) ? count : MAPS.has(kind) ? 2 * count : 0;
  // An attribute (`|`) precedes its value.
  for (let left = kind === '|' ? values + 1 : values; left > 0; left -= 1) {
    const size = valueSize(bytes, next);
    if (size === undefined) return undefined;
    next += size;
  }
  return next > bytes.length ? undefined : next - at;
}

function words(command: Buffer): string[] {
  if (command.toString('latin1', 0, 1) !== '*') return command.toString().trim().split(' ');
  const found: string[] = [];
  let at = command.indexOf('\r\n') + 2;
  while (at < command.length) {
    const size = valueSize(command, at) ?? command.length;
    found.push(command.toString('utf8', command.indexOf('\r\n', at) + 2, at + size - 2));
    at += size;
  }
  return found;
}

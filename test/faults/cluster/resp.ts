import { exchange } from '../../stack/exchange.ts';

/**
 * Sends one command to a Redis without a client, such as `FLUSHALL`. Throws unless the reply is
 * `+OK`.
 */
export async function resp(url: string, command: string): Promise<void> {
  const answer = await exchange(Number(new URL(url).port), Buffer.from(`${command}\r\n`), (bytes) =>
    bytes.includes('\r\n'),
  );
  if (!answer.toString().startsWith('+OK'))
    throw new Error(`Expected Redis to carry out ${command}, found: ${answer.toString()}`);
}

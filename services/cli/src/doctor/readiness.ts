import { codeOf } from '../exit-code.ts';
import { isObject } from '../intake-client.ts';
import { printable } from '../output.ts';
import { ok, unknown, wrong } from './finding.ts';
import type { Finding } from './finding.ts';
import { within } from './part.ts';
import type { Terms } from './part.ts';
import type { Fetch } from './read-clocks.ts';

const MOST_BYTES = 65_536;

/** What a service says of itself. Whoever answers there controls it. */
export async function judgeReadiness(terms: Terms, base: string, ask: Fetch = fetch): Promise<Finding> {
  const url = new URL('readyz', base.endsWith('/') ? base : `${base}/`);
  const check = `service ${url.host}`;
  try {
    return await within(terms, async (signal) => {
      const response = await ask(url, { redirect: 'manual', signal });
      const said = waitsOf(await textOf(response));
      if (response.status === 200) return ok(check, 'ready');
      if (response.status !== 503) return wrong(check, `status ${response.status} for /readyz`, 'See whether this is a service\'s address.');
      return wrong(check, `not ready${said === '' ? '' : `: ${said}`}`, 'See its log and docs/runbooks.');
    });
  } catch (error) {
    return unknown(check, codeOf(error) === 'NO_ANSWER' ? 'no answer in time' : 'no answer', 'See whether it runs, its address and the network.');
  }
}

async function textOf({ body }: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body ?? []) {
    bytes += part.length;
    if (bytes > MOST_BYTES) break;
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function waitsOf(text: string): string {
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    return '';
  }
  const checks: unknown = isObject(said) ? said['checks'] : undefined;
  const failed = Array.isArray(checks) ? checks.filter((one: unknown) => isObject(one) && one['ok'] !== true) : [];
  return printable(failed.map((one: Readonly<Record<string, unknown>>) => `${String(one['name'])} ${typeof one['detail'] === 'string' ? one['detail'] : ''}`.trim()).join(', ')).slice(0, 200);
}

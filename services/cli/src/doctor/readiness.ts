import { codeOf } from '@residency/coded-error';
import { askService, probeUrl, readinessOf } from '../readiness.ts';
import type { Fetch } from '../readiness.ts';
import { explain } from './explain.ts';
import { ok, unknown, wrong } from './finding.ts';
import type { Finding } from './finding.ts';
import { within } from './part.ts';
import type { Terms } from './part.ts';

/** What a service says of itself. Whoever answers there controls it. */
export async function judgeReadiness(terms: Terms, base: string, ask?: Fetch): Promise<Finding> {
  const url = probeUrl(base, 'readyz');
  const check = `service ${url.host}`;
  try {
    return await within(terms, async (signal) => {
      const { status, body } = await askService(url, {
        signal,
        ...(ask === undefined ? {} : { ask }),
      });
      if (status !== 200 && status !== 503)
        return wrong(
          check,
          `status ${status} for /readyz`,
          "See whether this is a service's address.",
        );
      const { ready, failed } = readinessOf(body);
      if (ready) return ok(check, 'ready');
      const said = failed
        .map(({ name, detail }) => `${name} ${detail}`.trim())
        .join(', ')
        .slice(0, 200);
      return wrong(
        check,
        `not ready${said === '' ? '' : `: ${said}`}`,
        'See its log and docs/runbooks.',
      );
    });
  } catch (error) {
    const code = codeOf(error);
    if (code === 'NOT_A_SERVICE') return explain(check, error);
    return unknown(
      check,
      code === 'NO_ANSWER' ? 'no answer in time' : 'no answer',
      'See whether it runs, its address and the network.',
    );
  }
}

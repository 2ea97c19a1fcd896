import { failed, ok, wrong } from '../check-result.ts';
import type { CheckResult } from '../check-result.ts';
import type { ServiceFacts } from '../snapshot.ts';

const MOST_TEXT = 500;

/** Whether a service that somebody named says that its work moves. */
export function judgeService({ host, readiness }: ServiceFacts): CheckResult {
  const check = `service ${host}`;
  if ('unknown' in readiness) return failed(check, readiness.unknown);
  const { ready, failed: checks } = readiness.known;
  if (ready) return ok(check, 'ready');
  const said = checks
    .map(({ name, detail }) => `${name} ${detail}`.trim())
    .join(', ')
    .slice(0, MOST_TEXT);
  return wrong(
    check,
    `not ready${said === '' ? '' : `: ${said}`}`,
    'See its log and docs/runbooks.',
  );
}

import { ok, unknown, wrong } from '../check-result.ts';
import type { CheckResult } from '../check-result.ts';
import type { TopicIdentity } from '../ports/intake-log.ts';

const CHECK = 'logs';

/** Whether the topics are those that were settled. */
export function judgeTopics(topics: readonly TopicIdentity[]): readonly CheckResult[] {
  const replaced = topics.filter(({ state }) => state === 'replaced');
  const unsure = topics.filter(({ state }) => state === 'unknown').map(({ topic }) => topic);
  if (replaced.length > 0)
    return replaced.map(({ topic, found = '' }) => ({
      ...wrong(
        CHECK,
        `${topic} is another topic than the one that was settled: ${found}`,
        'See docs/runbooks/ResidencyLogReplaced.md before anything is reset.',
      ),
      code: 'LOG_REPLACED',
    }));
  if (unsure.length > 0)
    return [
      unknown(
        CHECK,
        `whether these are the topics that were settled is not known: ${unsure.join(', ')}`,
      ),
    ];
  return [
    ok(
      CHECK,
      topics.some(({ state }) => state === 'unsettled')
        ? 'nothing was settled yet that would tell one topic from another'
        : 'each topic is the one that was settled',
    ),
  ];
}

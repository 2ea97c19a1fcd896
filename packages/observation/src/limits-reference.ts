import { LIMITS } from './limits.ts';

/** docs/reference/limits.md, whole. */
export function limitsReference(): string {
  return `${[
    '# Limits',
    'When `residency status` and `residency doctor` call a fact wrong, and when an alert fires on it. Exactly at the limit nothing is wrong yet. A fact that can not be read is never fine: `status` and `doctor` name it, and the metric is absent.',
    'An alert waits longer than its limit (`for` in [deploy/prometheus](../../deploy/prometheus/README.md)), so that what passes by itself wakes nobody. Why these numbers: [0026](../decisions/0026-one-table-of-limits.md).',
    'This page is made from the code (`limitsReference()` in `packages/observation`); a test compares them, and another compares the rules of the alerts with the table.',
    [
      '| limit | seconds | of | source | alerts |',
      '|---|---|---|---|---|',
      ...Object.entries(LIMITS).map(
        ([name, { seconds, of, source, alerts }]) =>
          `| \`${name}\` | ${seconds} | ${of} | ${source} | ${alerts.map(({ alert }) => `[${alert}](../runbooks/${alert}.md)`).join(', ')} |`,
      ),
    ].join('\n'),
  ].join('\n\n')}\n`;
}

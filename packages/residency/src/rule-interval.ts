import { BEGINNING_OF_TIME, parseInstant } from './instant.ts';
import type { Instant } from './instant.ts';
import type { PolicyRule } from './policy.ts';

/** `[from, until)`; `-Infinity` = since ever, `Infinity` = open end. */
export interface RuleInterval {
  readonly from: Instant;
  readonly until: Instant;
}

/** `undefined`: `from` or `until` is not RFC 3339. */
export function ruleInterval(rule: PolicyRule): RuleInterval | undefined {
  const from = sinceEver(rule.from);
  const until = rule.until === undefined ? Infinity : sinceEver(rule.until);
  return from === undefined || until === undefined ? undefined : { from, until };
}

// Any integer is an instant, but RFC 3339 cannot write instants before year 0.
const FIRST = parseInstant(BEGINNING_OF_TIME) ?? -Infinity;

function sinceEver(text: string): Instant | undefined {
  const at = parseInstant(text);
  return at !== undefined && at <= FIRST ? -Infinity : at;
}

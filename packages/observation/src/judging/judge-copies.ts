import { ok, wrong } from '../check-result.ts';
import type { CheckResult } from '../check-result.ts';
import type { Limits } from '../limits.ts';
import { secondsText } from '../seconds-text.ts';
import type { CopyFacts } from '../snapshot.ts';

const CHECK = 'copies';
const NEXT = 'docs/runbooks/ResidencyCopiesOwed.md';

/** Whether a site has lacked a copy of a stored sample for long. */
export function judgeCopies(
  sites: readonly CopyFacts[],
  { copyOwed }: Limits,
): readonly CheckResult[] {
  const late = sites.filter(({ owed, forMs }) => owed > 0 && forMs > copyOwed.seconds * 1_000);
  if (late.length > 0)
    return late.map(({ site, owed, forMs }) =>
      wrong(CHECK, `${site} lacks ${owed}, the oldest for ${secondsText(forMs)}`, NEXT),
    );
  const owed = sites.filter((site) => site.owed > 0);
  return [
    ok(
      CHECK,
      owed.length === 0
        ? 'every site has its copies'
        : owed.map(({ site, owed: lacking }) => `${site} lacks ${lacking}`).join(', '),
    ),
  ];
}

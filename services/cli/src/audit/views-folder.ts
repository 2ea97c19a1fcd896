import { mkdir, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConsentTotals, Period, Replay } from '@residency/auditing';
import { hasCode } from '@residency/coded-error';
import { formatInstant } from '@residency/residency';
import type { HoldingTotal } from './holding-totals.ts';
import { CliError } from '../terminal/cli-error.ts';
import { unwritable } from '../terminal/unwritable.ts';

/**
 * Makes the folder, or takes an empty one. Throws `FILE_EXISTS` if it holds anything: the views
 * must not mix with other files.
 */
export async function makeViewsFolder(path: string): Promise<void> {
  await usable(path, () => mkdir(path, { recursive: true, mode: 0o700 }));
  const names = await usable(path, () => readdir(path));
  if (names.length > 0)
    throw new CliError({
      code: 'FILE_EXISTS',
      message:
        'Expected --into to name a folder that is empty or not there, found something in it; nothing is overwritten. Name another.',
      remedy: 'stop',
    });
}

/**
 * Writes one file for each view. The view by consent has 256 files, by the first byte of the
 * SHA-256 of the consent id, because there may be more consents than memory holds. The same events
 * give the same bytes in every file.
 */
export async function writeViews(
  path: string,
  report: Replay,
  period: Period,
  {
    consents,
    holdings,
  }: {
    readonly consents: ConsentTotals;
    /** Absent: the period is not whole. */
    readonly holdings: readonly HoldingTotal[] | undefined;
  },
): Promise<void> {
  const { byRegion, byCountry, byPolicy, byOutcome, ...summary } = replayJson(report, period);
  for (const [name, view] of Object.entries({
    'by-region': byRegion,
    'by-country': byCountry,
    'by-policy': byPolicy,
    'by-outcome': byOutcome,
    ...(holdings === undefined ? {} : { 'by-holding': holdings }),
  }))
    await writeLines(join(path, `${name}.ndjson`), view);
  await usable(path, () => mkdir(join(path, 'by-consent'), { mode: 0o700 }));
  for await (const { part, rows } of consents.rows()) {
    if (rows.length > 0)
      await writeLines(
        join(path, 'by-consent', `${part.toString(16).padStart(2, '0')}.ndjson`),
        rows.map(({ consentId, first, last, ...row }) => ({
          consentId,
          first: formatInstant(first),
          last: formatInstant(last),
          ...row,
        })),
      );
  }
  await writeLines(join(path, 'replay.json'), [summary]);
}

/** A replay with its instants as text. */
export function replayJson(
  { first, last, ...report }: Replay,
  { from, to }: Period,
): Omit<Replay, 'first' | 'last'> & Readonly<Record<string, unknown>> {
  const instants = Object.entries({ from, to, first, last }).flatMap(([name, at]) =>
    at === undefined ? [] : [[name, formatInstant(at)] as const],
  );
  return { ...Object.fromEntries(instants), ...report };
}

async function writeLines(path: string, rows: readonly object[]): Promise<void> {
  await usable(path, async () => {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    } finally {
      await file.close();
    }
  });
}

async function usable<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (hasCode(cause, 'FILE_EXISTS')) throw cause;
    throw unwritable('--into', path, cause);
  }
}

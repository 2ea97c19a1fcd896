import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { checkInterrupted } from '../session.ts';
import type { Session } from '../session.ts';
import type { Looker } from './look.ts';
import { renderStatus } from './render-status.ts';
import { scrape } from './scrape.ts';
import { statusJson } from './status-json.ts';
import { statusReport } from './status-report.ts';
import type { Look, StatusReport } from './status-report.ts';

export interface StatusTerms {
  /** Absent: only services are asked. */
  readonly looker?: Looker;
  readonly urls: readonly string[];
  readonly json: boolean;
  readonly watch: boolean;
}

const BETWEEN_MS = 2_000;

/** Looks twice and says what it saw; where it watches, again and again until interrupted. */
export async function watchStatus(session: Session, terms: StatusTerms): Promise<ExitCode> {
  let before = await lookAt(session, terms);
  for (let first = true; ; first = false) {
    const ended = await pause(session);
    // Ctrl-C is how watching ends.
    if (ended && terms.watch) return EXIT.done;
    checkInterrupted(session);
    const after = await lookAt(session, terms);
    if (terms.watch && session.signal.aborted) return EXIT.done;
    checkInterrupted(session);
    const report = statusReport(before, after);
    await show(session, terms, report, first);
    if (!terms.watch) return codeOfReport(report);
    before = after;
  }
}

async function lookAt({ now, signal }: Session, { looker, urls }: StatusTerms): Promise<Look> {
  const [system, scrapes] = await Promise.all([
    looker?.look(),
    Promise.all(urls.map(async (url) => [url, await scrape(url, signal)] as const)),
  ]);
  return { at: now(), scrapes: new Map(scrapes), ...(system === undefined ? {} : { system }) };
}

async function pause({ signal }: Session): Promise<boolean> {
  await sleep(BETWEEN_MS, undefined, { signal }).catch(() => undefined);
  return signal.aborted;
}

async function show(
  { output }: Session,
  { looker, urls, json, watch }: StatusTerms,
  report: StatusReport,
  first: boolean,
): Promise<void> {
  const name = looker?.name ?? urls.join(' ');
  if (json) await output.json(statusJson(name, report));
  else if (watch) await output.screen(renderStatus(name, report), first);
  else await output.lines(renderStatus(name, report));
}

function codeOfReport({ blind, wrong }: StatusReport): ExitCode {
  if (blind) return EXIT.unreachable;
  return wrong.length > 0 ? EXIT.found : EXIT.done;
}

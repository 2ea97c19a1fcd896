import { defined } from '@residency/defined';
import { pause } from '@residency/waiting';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { checkInterrupted } from '../terminal/session.ts';
import type { Session } from '../terminal/session.ts';
import { renderStatus } from './render-status.ts';
import type { Probe } from '../probing/probe.ts';
import { scrape } from '../probing/scrape.ts';
import { statusJson } from './status-json.ts';
import { statusReport } from './status-report.ts';
import type { Reading, StatusReport } from './status-report.ts';

export interface StatusOptions {
  /** Absent: only services are asked. */
  readonly probe?: Probe;
  readonly urls: readonly string[];
  readonly json: boolean;
  readonly watch: boolean;
}

const BETWEEN_MS = 2_000;

/** Reads twice and reports; with `watch` again and again, until interrupted. */
export async function watchStatus(session: Session, options: StatusOptions): Promise<ExitCode> {
  let before = await read(session, options);
  for (let first = true; ; first = false) {
    await pause(BETWEEN_MS, session.signal);
    // Ctrl-C is how watching ends.
    if (session.signal.aborted && options.watch) return EXIT.done;
    checkInterrupted(session);
    const after = await read(session, options);
    if (options.watch && session.signal.aborted) return EXIT.done;
    checkInterrupted(session);
    const report = statusReport(before, after);
    await show(session, options, report, first);
    if (!options.watch) return codeOfReport(report);
    before = after;
  }
}

async function read({ now, signal }: Session, { probe, urls }: StatusOptions): Promise<Reading> {
  const [snapshot, scrapes] = await Promise.all([
    probe?.snapshot(),
    Promise.all(urls.map(async (url) => [url, await scrape(url, signal)] as const)),
  ]);
  return { at: now(), scrapes: new Map(scrapes), ...defined({ snapshot }) };
}

async function show(
  { output }: Session,
  { probe, urls, json, watch }: StatusOptions,
  report: StatusReport,
  first: boolean,
): Promise<void> {
  const name = probe?.name ?? urls.join(' ');
  if (json) await output.json(statusJson(name, report));
  else if (watch) await output.screen(renderStatus(name, report), first);
  else await output.lines(renderStatus(name, report));
}

function codeOfReport({ blind, wrong }: StatusReport): ExitCode {
  if (blind) return EXIT.unreachable;
  return wrong.length > 0 ? EXIT.found : EXIT.done;
}

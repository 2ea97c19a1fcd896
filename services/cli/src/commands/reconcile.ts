import { FilesystemSiteReader, verifySite } from '@residency/adapter-filesystem';
import { reconcile } from '@residency/reconciliation';
import type { FoundEntry, OpenSealed, ReconcileDeps, ReconciliationReport, SiteReader } from '@residency/reconciliation';
import { decide } from '@residency/residency';
import type { PolicyPublished } from '@residency/residency';
import { openSealed, readSealedHeader } from '@residency/sealing';
import type { DataDirectory } from '@residency/standalone';
import type { Command } from 'commander';
import { auditTrailOf } from '../audit-trail.ts';
import { answering, describe } from '../command.ts';
import type { Answer, Common } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { foreignSites } from '../foreign-sites.ts';
import { leftovers } from '../leftovers.ts';
import { printable } from '../output.ts';
import { publishedOn, sitesByRegion } from '../policies.ts';
import { startProgress } from '../progress.ts';
import { checkInterrupted } from '../session.ts';
import type { Session } from '../session.ts';
import { grouped, table } from '../table.ts';
import { withData } from '../with-data.ts';

type Options = Common & { readonly open?: true };

export function reconcileCommand(program: Command, session: Session, answer: Answer): void {
  describe(program, 'reconcile', 'Compare what stands in the sites with what the audit log says; ends with 1 and a list where they differ.', [
    'reconcile',
    'reconcile --open --json',
  ]).option('--open', 'also open every object with its region\'s private keys')
    .action(answering(answer, (options: Options) => withData(options.data, (data) => run(session, options, data))));
}

async function run(session: Session, { open, json }: Options, data: DataDirectory): Promise<ExitCode> {
  const progress = startProgress(session, 'Comparing objects');
  let report: ReconciliationReport;
  try {
    report = await reconcile(await depsOf(session, data, open === true), { onProgress: (done, total) => { progress.update(done, total); } });
  } finally {
    progress.stop();
  }
  await (json ? writeJson(session, report) : writeText(session, report));
  return report.differences.total > 0 ? EXIT.found : EXIT.done;
}

async function depsOf(session: Session, data: DataDirectory, open: boolean): Promise<ReconcileDeps> {
  const published = await publishedOn(data);
  const sites: FilesystemSiteReader[] = [];
  for (const [region, names] of sitesByRegion(published)) {
    for (const site of names) {
      // A disk that is not mounted must not pass for an empty site.
      await verifySite(data.sitePath(site), { region, site });
      sites.push(new FilesystemSiteReader(data.sitePath(site), site));
    }
  }
  const left = await leftovers(data, sites);
  const versionOf = (digest: string): PolicyPublished | undefined => published.find((version) => version.digest === digest);
  return {
    sites: sites.map((reader) => interruptible(session, reader, left.get(reader.site) ?? [])),
    foreignSites: await foreignSites(data, new Set(sites.map(({ site }) => site))),
    trail: auditTrailOf(data),
    sitesOf: (digest, region) => versionOf(digest)?.document.regions.find(({ id }) => id === region)?.sites,
    ruleHolds: (digest, { rule, region, country, at }) => {
      const version = versionOf(digest);
      const decided = version === undefined ? undefined : decide(version, country, at);
      return decided?.known === true && decided.rule.id === rule && decided.region === region;
    },
    readHeader: readSealedHeader,
    ...(open ? { open: opener(data) } : {}),
  };
}

function interruptible(session: Session, reader: SiteReader, left: readonly FoundEntry[]): SiteReader {
  return {
    site: reader.site,
    async *list() {
      yield* left;
      for await (const entry of reader.list()) {
        checkInterrupted(session);
        yield entry;
      }
    },
    read: async (key) => {
      checkInterrupted(session);
      return await reader.read(key);
    },
  };
}

/** Reads a region's private keys once, and again where an object names a key that was added meanwhile. */
function opener({ keys }: DataDirectory): OpenSealed {
  const known = new Map<string, ReturnType<typeof keys.privateKeys>>();
  return async (message, region) => {
    const { wrappingKeys } = readSealedHeader(message);
    const had = await known.get(region);
    if (had === undefined || !had.some(({ id }) => wrappingKeys.includes(id))) known.set(region, keys.privateKeys(region));
    return await openSealed(message, region, await known.get(region) ?? []);
  };
}

async function writeJson({ output }: Session, { alsoIn, differences, ...counts }: ReconciliationReport): Promise<void> {
  for (const difference of differences.list) await output.json(difference);
  for (const note of alsoIn.list) await output.json({ code: 'ALSO_IN', ...note });
  await output.json({ ...counts, alsoIn: alsoIn.total, differences: differences.total, byCode: differences.byCode });
}

async function writeText({ output }: Session, { alsoIn, differences, events, ...counts }: ReconciliationReport): Promise<void> {
  await output.lines(table(['', 'count'], [
    ['audit events: stored', events.stored], ['audit events: duplicate', events.duplicate], ['audit events: refused', events.refused], ['audit events: quarantined', events.quarantined],
    ['objects in the sites', counts.objects], ['stored events checked in every site', counts.storedChecked], ['objects in flight', counts.inFlight], ['objects opened', counts.opened],
    ['submissions also in another region', alsoIn.total], ['differences', differences.total],
  ]));
  for (const { submission, position, region } of alsoIn.list) await output.line(`ALSO_IN  ${region}  ${submission}  ${position}`);
  for (const { code, message, site, key, position, submission } of differences.list) {
    const where = [site, key ?? submission, position].filter((part) => part !== undefined).map(printable).join('  ');
    await output.line(`${code}  ${where}  ${message}`);
  }
  const hidden = differences.total - differences.list.length;
  if (hidden > 0) await output.line(`and ${grouped(hidden)} more`);
}

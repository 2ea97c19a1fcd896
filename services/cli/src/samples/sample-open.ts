import { codeOf } from '@residency/coded-error';
import {
  ErasureIndex,
  OPEN_BEGUN,
  decodeAuditEvent,
  objectKey,
  sha256,
} from '@residency/contracts';
import type { AuditEvent, StoredData } from '@residency/contracts';
import { PemUnwrapper, openSealed } from '@residency/sealing';
import { CliError } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { recorded } from '../system/control.ts';
import { controlOf } from '../system/control-state.ts';
import { EXIT, exitCodeOf } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { printable } from '../terminal/output.ts';
import { checkRegion } from '../system/policies.ts';
import { checkInterrupted, interruptionOf } from '../terminal/session.ts';
import type { Session } from '../terminal/session.ts';
import type { System } from '../system/system.ts';
import { bytesText } from '../terminal/table.ts';
import { withSystem } from '../opening/with-system.ts';
import { refuseExisting, writeNewFile } from '../terminal/write-new-file.ts';

type Options = Common & { readonly region: string; readonly out: string };

export async function openSample(
  session: Session,
  { region, out, json, ...where }: Options,
  submission: string,
): Promise<ExitCode> {
  await refuseExisting(out, '--out');
  return await withSystem(session, where, async (system) => {
    await checkRegion(system, region);
    const event = await findStored(system, submission, region);
    await refuseErased(system, event);
    const stored = event.data;
    const { sample, site } = await recorded(
      session,
      system,
      (act) => ({ type: OPEN_BEGUN, data: { act, submission, region, around: 'vault' } }),
      async () => {
        const opened = await openFromAny(session, system, stored, region);
        await writeNewFile(out, opened.sample, '--out');
        return opened;
      },
    );
    const { sampleSha256 } = stored;
    if (json)
      await session.output.json({
        submission,
        region,
        site,
        sha256: sampleSha256,
        bytes: sample.length,
        out,
      });
    else
      await session.output.line(
        `Opened ${bytesText(sample.length)} from ${site}, SHA-256 ${sampleSha256}, to ${printable(out)}.`,
      );
    return EXIT.done;
  });
}

type StoredEvent = Extract<AuditEvent, { readonly outcome: 'stored' }>;

/** An order is enough, whether or not it is carried out, and on hold too. */
async function refuseErased(system: System, { at, data }: StoredEvent): Promise<void> {
  const { erasures } = await controlOf(system);
  const order = new ErasureIndex(erasures).orderOf({ ...data, at });
  if (order === undefined) return;
  throw new CliError({
    code: 'SAMPLE_ERASED',
    message: `Expected a sample that nobody ordered to be erased, found the order ${order} about it; it is not opened any more. \`residency status ${data.submission}\` says whether it is erased.`,
    remedy: 'stop',
  });
}

async function findStored(
  system: System,
  submission: string,
  region: string,
): Promise<StoredEvent> {
  for await (const bytes of system.auditRecords({ submission, region, outcome: 'stored' })) {
    const event = decodeAuditEvent(bytes);
    if (event.outcome === 'stored') return event;
  }
  throw new CliError({
    code: 'NOT_THERE',
    message: `Expected an audit event that stored this submission in ${region}, found none; see \`residency status\` for what became of it.`,
    remedy: 'stop',
  });
}

/**
 * The sites in the policy's order: a damaged or unreachable one is named, and the next one asked.
 */
async function openFromAny(
  session: Session,
  system: System,
  stored: StoredData,
  region: string,
): Promise<{ readonly sample: Buffer; readonly site: string }> {
  const unwrapper = new PemUnwrapper(system.keys(), region);
  const signal = interruptionOf(session);
  const failures: Error[] = [];
  for (const { site } of stored.placements) {
    try {
      const found = await (
        await system.siteReader(site, region)
      ).read(objectKey(stored.submission));
      if (found === undefined) throw notOpened('an object in the site', 'none');
      const { sample, context } = await openSealed(found.bytes, region, unwrapper, signal);
      if (context.submission !== stored.submission || sha256(sample) !== stored.sampleSha256)
        throw notOpened('the sample that the audit event names', 'another');
      return { sample, site };
    } catch (error) {
      checkInterrupted(session);
      if (codeOf(error) === undefined || !(error instanceof Error)) throw error;
      session.output.note(`Site ${site}: ${error.message} (${codeOf(error)})`);
      failures.push(error);
    }
  }
  const unreachable = failures.find((error) => exitCodeOf(error) === EXIT.unreachable);
  throw (
    unreachable ??
    notOpened(`a site of ${region} to give the sample`, 'that none did, as said above')
  );
}

function notOpened(expected: string, found: string): CliError {
  return new CliError({
    code: 'SAMPLE_NOT_OPENED',
    message: `Expected ${expected}, found ${found}; run \`residency reconcile --open\` to see what else is not as it should be.`,
    remedy: 'stop',
  });
}

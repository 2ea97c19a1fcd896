import { randomUUID } from 'node:crypto';
import { PUBLICATION_BEGUN, policyEntry, readPolicy } from '@residency/contracts';
import { invalidPolicies, validPolicies } from '@residency/residency';
import type { PolicyVersion } from '@residency/residency';
import { CliError } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { recorded } from '../system/control.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { reportProblems } from './policy-problems.ts';
import { judgePublication, nameOf, scheduleJson, scheduleLines } from './publication.ts';
import type { Publication } from './publication.ts';
import { readNamed } from '../terminal/read-named.ts';
import type { Session } from '../terminal/session.ts';
import type { System } from '../system/system.ts';
import { withSystem } from '../opening/with-system.ts';

type Valid = Extract<Publication, { kind: 'valid' }>;

/** Brokers' clocks may differ by a second (decision 0003), and the append itself takes its time. */
const CLOCK_MARGIN_MS = 2_000;

export async function publish(session: Session, options: Common, file: string): Promise<ExitCode> {
  const version = readPolicy(await readNamed(file, 'the policy'));
  if (await reportProblems(session, options, version)) return EXIT.found;
  return await withSystem(
    session,
    options,
    async (system) => {
      const before = judgePublication(await system.policies(), version, session.now());
      if (before.kind === 'refused') throw refused(before.why);
      if (before.kind === 'valid') await system.requireRegions(version.document);
      const publication = before.kind === 'valid' ? await append(session, system, version) : before;
      await printResult(session, options, version, publication);
      return EXIT.done;
    },
    { makes: true },
  );
}

/**
 * Judged as every reader will judge it, by the log's clock, which may be ahead of this machine's.
 */
async function append(session: Session, system: System, version: PolicyVersion): Promise<Valid> {
  const { document, digest } = version;
  const { id, version: number } = document;
  return await recorded(
    session,
    system,
    (act) => ({ type: PUBLICATION_BEGUN, data: { act, id, version: number, digest } }),
    async (begun) => {
      const begunAt = (await system.recordAt(begun))?.at ?? session.now();
      const started = performance.now();
      await system.prepare(document);
      const judged = judgePublication(
        await system.policies(),
        version,
        begunAt + Math.ceil(performance.now() - started) + CLOCK_MARGIN_MS,
      );
      if (judged.kind === 'refused') throw refused(judged.why);
      await system.append([policyEntry(document, randomUUID())]);
      return await judgedAfter(system, version);
    },
  );
}

/** Another version may have come between. */
async function judgedAfter(system: System, version: PolicyVersion): Promise<Valid> {
  const published = await system.policies();
  const own = validPolicies(published).find(({ digest }) => digest === version.digest);
  if (own === undefined) {
    const why = invalidPolicies(published).findLast(
      ({ published: { digest } }) => digest === version.digest,
    );
    throw new CliError({
      code: 'POLICY_REFUSED',
      message: `Expected ${nameOf(version)} to be valid once it was appended, found that everybody ignores it, for good, because another version or the log's clock came between. ${why?.message ?? ''} (${why?.code ?? 'unknown'})`,
      remedy: 'stop',
    });
  }
  const judged = judgePublication(
    published.filter(({ digest }) => digest !== version.digest),
    own,
    own.appendedAt,
  );
  if (judged.kind !== 'valid') throw new TypeError('Expected a valid version to be judged so.');
  return judged;
}

function refused({ message, code }: { readonly message: string; readonly code: string }): CliError {
  return new CliError({
    code: 'POLICY_REFUSED',
    message: `${message} Nothing was published. (${code})`,
    remedy: 'stop',
  });
}

async function printResult(
  { output }: Session,
  { json }: Common,
  version: PolicyVersion,
  publication: Exclude<Publication, { kind: 'refused' }>,
): Promise<void> {
  const {
    document: { id, version: number, effectiveFrom },
    digest,
  } = version;
  const isNew = publication.kind === 'valid';
  if (json)
    await output.json({
      id,
      version: number,
      digest,
      effectiveFrom,
      published: isNew,
      ...(isNew ? scheduleJson(publication) : {}),
    });
  else
    await output.lines(
      isNew
        ? [`${nameOf(version)} is published.`, ...scheduleLines(nameOf(version), publication)]
        : [`${nameOf(version)} was published already; nothing changed.`],
    );
}

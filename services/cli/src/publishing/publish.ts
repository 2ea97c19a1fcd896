import { submissionId } from '@residency/contracts/digest';
import { DEFAULT_LIMITS } from '@residency/contracts/limits';
import { isAssigned, twoLetterCode } from '@residency/residency/assigned-code';
import { COUNTRIES } from '@residency/residency/countries';
import { batchesOf } from './batches-of.ts';
import { usage } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { findFiles } from './find-files.ts';
import { inOrder } from './in-order.ts';
import type { IntakeOptions } from './intake-options.ts';
import { notPublished } from './not-published.ts';
import { readSample } from './read-sample.ts';
import { reason } from '../terminal/reason.ts';
import { eventId, sampleEvent } from './sample-event.ts';
import type { Offer } from './sample-event.ts';
import { SecondPublications } from './second-publications.ts';
import { checkInterrupted } from '../terminal/session.ts';
import type { Session } from '../terminal/session.ts';
import { refuseBoth, withSink } from './sink.ts';
import type { Sink } from './sink.ts';
import { bytesText } from '../terminal/table.ts';
import { Tally } from './tally.ts';

type Options = Common & IntakeOptions & Offer & { readonly again?: true };

interface Sample {
  readonly path: string;
  readonly realPath: Buffer;
  readonly bytes: Buffer;
}

// An intake takes bodies of 24 MiB; a batch is a third larger on the way there.
const BATCH = { count: 256, bytes: 8 * 1024 * 1024 };

export async function publish(
  session: Session,
  options: Options,
  paths: readonly string[],
): Promise<ExitCode> {
  refuseForbidden(options);
  const tally = new Tally(session, options.json);
  refuseBoth(options);
  warnOfCountry(session, options.country);
  const except = await notPublished(session, options);
  const samples = readAll(session, paths, except, tally);
  // Names are checked before anything is made or sent.
  const first = await samples.next();
  if (options.id !== undefined && first.done !== true && (await samples.next()).done !== true)
    throw usage(
      'Expected a single file with --id, because an id names one submission, found several; nothing was published.',
    );
  try {
    if (first.done !== true)
      await withSink(session, options, (sink) =>
        sendUnpublished(session, prepend(first.value, samples), sink, options, tally),
      );
  } finally {
    tally.progress.stop();
    // Also after an interruption or a failure of the log: every submission reported as published
    // is.
    if (tally.begun) await tally.finish();
  }
  return tally.failed > 0 ? EXIT.found : EXIT.done;
}

// CloudEvents §3.2, String: no event can carry these. Everything else is the router's to judge.
const FORBIDDEN = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u;

function refuseForbidden({ country, consent, source, id = '' }: Offer): void {
  for (const [option, value] of Object.entries({
    '--country': country,
    '--consent': consent,
    '--source': source,
    '--id': id,
  })) {
    if (FORBIDDEN.test(value))
      throw usage(
        `Expected ${option} without control characters and noncharacters, which CloudEvents forbids, found one; nothing was read or published. Correct it.`,
      );
  }
}

/** The router judges it; a person may want to know before. */
function warnOfCountry({ output }: Session, country: string): void {
  const code = twoLetterCode(country);
  if (code !== undefined && isAssigned(code)) return;
  const named = [...COUNTRIES].find(([, name]) => name.toLowerCase() === country.toLowerCase());
  output.note(
    `--country is no assigned country code${named === undefined ? '' : ` (${named[0]} is meant?)`}: these submissions will be quarantined as COUNTRY_UNKNOWN.`,
  );
}

async function* prepend<T>(first: T, rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield first;
  yield* rest;
}

async function* readAll(
  session: Session,
  paths: readonly string[],
  except: ReadonlySet<string>,
  tally: Tally,
): AsyncGenerator<Sample> {
  const { sampleBytes } = DEFAULT_LIMITS;
  for await (const found of findFiles(paths, { except })) {
    checkInterrupted(session);
    const path = found.path.toString();
    if (found.kind === 'skipped') {
      tally.skip(path, found.why);
      continue;
    }
    if (found.kind === 'unreadable') {
      tally.fail(path, `not readable: ${found.why}`);
      continue;
    }
    try {
      const bytes = await readSample(found.path, sampleBytes);
      if (bytes === undefined) tally.fail(path, `over the limit of ${bytesText(sampleBytes)}`);
      else yield { path, realPath: found.realPath, bytes };
    } catch (error) {
      tally.fail(path, `not readable: ${reason(error)}`);
    }
  }
}

/** Without those that were published before with another country or consent. */
async function sendUnpublished(
  session: Session,
  samples: AsyncIterable<Sample>,
  sink: Sink,
  options: Options,
  tally: Tally,
): Promise<void> {
  const publications = new SecondPublications(session, options);
  const unpublished = async function* (): AsyncGenerator<Sample> {
    for await (const sample of samples) {
      const earlier =
        options.again === true ? undefined : publications.earlier(nameOf(sample, options), options);
      if (earlier === undefined) yield sample;
      else
        tally.fail(
          sample.path,
          `published before ${earlier}; --again publishes it once more, --id as another submission`,
        );
    }
  };
  try {
    await sendAll(
      unpublished(),
      {
        ...sink,
        send: (events) => {
          publications.keep(
            events.map((event) => submissionId(event)),
            options,
          );
          return sink.send(events);
        },
      },
      options,
      tally,
    );
  } finally {
    publications.close();
  }
}

function nameOf({ realPath, bytes }: Sample, { source, id }: Offer): string {
  return submissionId({ source, id: id ?? eventId(realPath, bytes) });
}

async function sendAll(
  samples: AsyncIterable<Sample>,
  sink: Sink,
  offer: Offer,
  tally: Tally,
): Promise<void> {
  const batches = batchesOf(samples, ({ bytes }) => bytes.length, BATCH);
  const sent = inOrder(batches, sink.concurrency, async (batch) => {
    const accepted = await sink.send(
      batch.map(({ realPath, bytes }) => sampleEvent(realPath, bytes, offer)),
    );
    // Only what the tally needs: a batch's bytes are let go here.
    return batch.map(({ path, bytes }, index) => ({
      path,
      bytes: bytes.length,
      accepted: accepted[index],
    }));
  });
  for await (const results of sent) {
    for (const { path, bytes, accepted } of results) await tally.publish(path, bytes, accepted);
  }
}

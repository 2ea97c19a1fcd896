import type { Command } from 'commander';
import { DEFAULT_LIMITS, VERDICTS } from '@residency/contracts';
import { Option } from 'commander';
import { batchesOf } from '../batches-of.ts';
import { usage } from '../cli-error.ts';
import { answering, describe } from '../command.ts';
import type { Answer, Common } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { findFiles, reason } from '../find-files.ts';
import { inOrder } from '../in-order.ts';
import { intakeOptions } from '../intake-client.ts';
import type { Accepted, IntakeOptions } from '../intake-client.ts';
import { notPublished } from '../not-published.ts';
import { printable } from '../output.ts';
import { startProgress } from '../progress.ts';
import { readSample } from '../read-sample.ts';
import { sampleEvent } from '../sample-event.ts';
import type { Offer } from '../sample-event.ts';
import { checkInterrupted } from '../session.ts';
import type { Session } from '../session.ts';
import { refuseBoth, withSink } from '../sink.ts';
import type { Sink } from '../sink.ts';
import { bytesText, counted, grouped, table } from '../table.ts';

type Options = Common & IntakeOptions & Offer;

interface Sample {
  readonly path: string;
  readonly realPath: Buffer;
  readonly bytes: Buffer;
}

// An intake takes bodies of 24 MiB; a batch is a third larger on the way there.
const BATCH = { count: 256, bytes: 8 * 1024 * 1024 };
const MOST_LISTED = 20;

export function publishCommand(program: Command, session: Session, answer: Answer): void {
  const command = describe(
    program,
    'publish',
    'Publish files, and folders recursively, as submissions; the router judges them.',
    [
      'publish sample.bin --country CH --consent consent-0001',
      'publish ./quarantine-folder --country JP --consent consent-0001 --verdict malicious --json',
      'publish sample.bin --country CH --consent consent-0001 --url http://127.0.0.1:8080 --token-file token.txt',
    ],
  )
    .argument(
      '<path...>',
      'files and folders; links, special files and data directories are skipped',
    )
    .requiredOption(
      '--country <cc>',
      "the user's country, ISO 3166-1 alpha-2; sent as given, without control characters",
    )
    .requiredOption('--consent <id>', 'the consent it was shared under')
    .addOption(
      new Option('--verdict <verdict>', 'what the product says of the sample')
        .choices(VERDICTS)
        .default('suspicious'),
    )
    .option('--source <uri>', 'CloudEvents source', 'urn:residency:cli');
  intakeOptions(command).action(
    answering(answer, (options: Options, paths: readonly string[]) =>
      publish(session, options, paths),
    ),
  );
}

async function publish(
  session: Session,
  options: Options,
  paths: readonly string[],
): Promise<ExitCode> {
  refuseForbidden(options);
  const tally = new Tally(session, options.json);
  refuseBoth(options);
  const except = await notPublished(session, options);
  const samples = readAll(session, paths, except, tally);
  // Names are checked before anything is made or sent.
  const first = await samples.next();
  try {
    if (first.done !== true)
      await withSink(session, options, (sink) =>
        sendAll(prepend(first.value, samples), sink, options, tally),
      );
  } finally {
    tally.progress.stop();
    // Also where it was interrupted or the log went away: what was said to be published is.
    if (tally.begun) await tally.finish();
  }
  return tally.failed > 0 ? EXIT.found : EXIT.done;
}

// CloudEvents §3.2, String: no event can carry these. Everything else is the router's to judge.
const FORBIDDEN = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u;

function refuseForbidden({ country, consent, source }: Offer): void {
  for (const [option, value] of Object.entries({
    '--country': country,
    '--consent': consent,
    '--source': source,
  })) {
    if (FORBIDDEN.test(value))
      throw usage(
        `Expected ${option} without control characters and noncharacters, which CloudEvents forbids, found one; nothing was read or published. Correct it.`,
      );
  }
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

/** What became of the files, said as it happens. */
class Tally {
  failed = 0;
  readonly progress;
  readonly #session: Session;
  readonly #json: boolean;
  readonly #listed: [path: string, submission: string, position: string][] = [];
  #published = 0;
  #bytes = 0;
  #skipped = 0;

  constructor(session: Session, json: boolean) {
    this.#session = session;
    this.#json = json;
    this.progress = startProgress(session, 'Publishing files');
  }

  get begun(): boolean {
    return this.#published + this.#skipped + this.failed > 0;
  }

  skip(path: string, why: string): void {
    this.#skipped += 1;
    this.#session.output.note(`Skipped ${printable(path)}: ${why}.`);
  }

  fail(path: string, why: string): void {
    this.failed += 1;
    this.#session.output.note(`Not published: ${printable(path)}: ${why}.`);
  }

  async publish(path: string, bytes: number, accepted: Accepted | undefined): Promise<void> {
    const { submission = '', position = '' } = accepted ?? {};
    this.#published += 1;
    this.#bytes += bytes;
    this.progress.update(this.#published);
    if (this.#json) await this.#session.output.json({ path, submission, position });
    else if (this.#listed.length < MOST_LISTED)
      this.#listed.push([printable(path), submission, position]);
  }

  async finish(): Promise<void> {
    const { output } = this.#session;
    if (!this.#json && this.#published > 0) {
      await output.lines(table(['path', 'submission', 'position'], this.#listed));
      const more = this.#published - this.#listed.length;
      if (more > 0) await output.line(`and ${grouped(more)} more (--json lists all)`);
    }
    const rest = [
      ...(this.#skipped > 0 ? [`skipped ${grouped(this.#skipped)}`] : []),
      ...(this.failed > 0 ? [`could not publish ${grouped(this.failed)}`] : []),
    ];
    output.note(
      `${[`Published ${counted(this.#published, 'file')}, ${bytesText(this.#bytes)}`, ...rest].join('; ')}.`,
    );
  }
}

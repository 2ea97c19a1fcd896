import { randomUUID } from 'node:crypto';
import { SAMPLE_SHARING } from '@residency/consent';
import {
  consentCloudEvent,
  consentEntry,
  sha256,
  subjectLinkCloudEvent,
  subjectLinkEntry,
} from '@residency/contracts';
import type { Command } from 'commander';
import { usage } from '../cli-error.ts';
import { answering, collect, describe, group } from '../command.ts';
import type { Answer, Common } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { intakeOptions } from '../intake-client.ts';
import type { IntakeOptions } from '../intake-client.ts';
import { readNamed } from '../read-named.ts';
import type { Session } from '../session.ts';
import { withSink } from '../sink.ts';
import { consentShowCommand } from './consent-show.ts';

type Named = Common & IntakeOptions & { readonly consent: string };
type Grant = Named & {
  readonly subject: string;
  readonly purpose?: readonly string[];
  readonly termsVersion: string;
  readonly terms?: string;
};

const SOURCE = 'urn:residency:cli';

export function consentCommand(program: Command, session: Session, answer: Answer): void {
  const consent = group(program, 'consent', 'Give, withdraw and look up consents.', [
    'consent grant --consent consent-0001 --subject user-17',
    'consent show --consent consent-0001',
  ]);
  intakeOptions(
    describe(
      consent,
      'grant',
      'Record that a subject gave consent, and the link to the subject, together.',
      [
        'consent grant --consent consent-0001 --subject user-17',
        'consent grant --consent consent-0001 --subject user-17 --terms-version 2026-1 --terms terms.txt',
      ],
    )
      .requiredOption('--consent <id>', 'a random id, 8 to 128 of A-Z a-z 0-9 _ -')
      .requiredOption(
        '--subject <subject>',
        'the pseudonymous user; kept apart from everything else',
      )
      .option(
        '--purpose <purpose>',
        `what for; may be said several times (default: ${SAMPLE_SHARING})`,
        collect,
      )
      .option('--terms-version <version>', 'which terms were shown', 'unspecified')
      .option('--terms <file>', 'the terms as shown; only their SHA-256 is kept'),
  ).action(answering(answer, (options: Grant) => grant(session, options)));
  intakeOptions(
    describe(consent, 'withdraw', 'Record that consent was withdrawn.', [
      'consent withdraw --consent consent-0001',
    ]).requiredOption('--consent <id>', 'the consent'),
  ).action(answering(answer, (options: Named) => withdraw(session, options)));
  consentShowCommand(consent, session, answer);
}

async function grant(session: Session, options: Grant): Promise<ExitCode> {
  const { consent: consentId, subject, purpose = [SAMPLE_SHARING], termsVersion, terms } = options;
  const termsSha256 = terms === undefined ? undefined : sha256(await readNamed(terms, 'the terms'));
  const link = subjectLinkCloudEvent({ consentId, subject }, envelope());
  const granted = consentCloudEvent(
    {
      kind: 'granted',
      consentId,
      purposes: purpose,
      termsVersion,
      ...(termsSha256 === undefined ? {} : { termsSha256 }),
    },
    envelope(),
  );
  valid(() => [subjectLinkEntry(link), consentEntry(granted)]);
  const [, accepted] = await withSink(session, options, (sink) => sink.send([link, granted]));
  return await said(session, options, 'granted', accepted?.position ?? '');
}

async function withdraw(session: Session, options: Named): Promise<ExitCode> {
  const withdrawn = consentCloudEvent(
    { kind: 'withdrawn', consentId: options.consent },
    envelope(),
  );
  valid(() => [consentEntry(withdrawn)]);
  const [accepted] = await withSink(session, options, (sink) => sink.send([withdrawn]));
  return await said(session, options, 'withdrawn', accepted?.position ?? '');
}

async function said(
  { output }: Session,
  { consent: consentId, json }: Named,
  event: 'granted' | 'withdrawn',
  position: string,
): Promise<ExitCode> {
  if (json) await output.json({ consentId, event, position });
  else await output.line(`Consent ${consentId} ${event} at ${position}.`);
  return EXIT.done;
}

function envelope(): { readonly id: string; readonly source: string } {
  return { id: randomUUID(), source: SOURCE };
}

/** Throws before anything is opened or made. */
function valid(encode: () => unknown): void {
  try {
    encode();
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'INVALID_CONSENT_EVENT') {
      throw usage(
        'Expected --consent of 8 to 128 of A-Z a-z 0-9 _ -, --subject of 1 to 1024 characters, --purpose and --terms-version of 1 to 128; found something else.',
      );
    }
    throw cause;
  }
}

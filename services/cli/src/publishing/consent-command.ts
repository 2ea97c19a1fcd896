import { SAMPLE_SHARING } from '@residency/consent';
import type { Command } from 'commander';
import { answering, collect, describe, group } from '../terminal/command.ts';
import type { Answer } from '../terminal/command.ts';
import { intakeOptions } from './intake-options.ts';
import type { Session } from '../terminal/session.ts';

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
  ).action(answering(session, answer, async () => (await import('./consent.ts')).grant));
  intakeOptions(
    describe(consent, 'withdraw', 'Record that consent was withdrawn.', [
      'consent withdraw --consent consent-0001',
    ]).requiredOption('--consent <id>', 'the consent'),
  ).action(answering(session, answer, async () => (await import('./consent.ts')).withdraw));
  consentShowCommand(consent, session, answer);
}

function consentShowCommand(consent: Command, session: Session, answer: Answer): void {
  intakeOptions(
    describe(consent, 'show', 'When a consent was given, for what, under which terms.', [
      'consent show --consent consent-0001',
      'consent show --consent consent-0001 --url http://127.0.0.1:8080 --json',
    ]).requiredOption('--consent <id>', 'the consent'),
  ).action(answering(session, answer, async () => (await import('./consent-show.ts')).show));
}

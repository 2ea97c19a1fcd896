import type { Command } from 'commander';
import { answering, describe, group, parseWhole } from '../terminal/command.ts';
import type { Answer } from '../terminal/command.ts';
import type { Session } from '../terminal/session.ts';

export function policyCommand(program: Command, session: Session, answer: Answer): void {
  const policy = group(program, 'policy', 'Check, compare, show and publish policy versions.', [
    'policy check policy/residency-1.json',
    'policy show',
  ]);
  for (const add of [
    policyCheckCommand,
    policyDiffCommand,
    policyShowCommand,
    policyPublishCommand,
  ])
    add(policy, session, answer);
}

function policyCheckCommand(policy: Command, session: Session, answer: Answer): void {
  describe(
    policy,
    'check',
    'Name every gap, overlap and unknown code of a policy document, and why `policy publish` would refuse it now where that is to be published (--data, --config). Ends with 1 where there is something. Changes nothing.',
    [
      'policy check policy/residency-1.json',
      'policy check draft.json --data /srv/residency',
      'policy check draft.json --config cluster.env --json',
    ],
  )
    .summary('Name what is wrong with a policy document, and why `policy publish` would refuse it.')
    .argument('<file>', 'the document')
    .action(answering(session, answer, async () => (await import('./policy-check.ts')).check));
}

function policyDiffCommand(policy: Command, session: Session, answer: Answer): void {
  describe(
    policy,
    'diff',
    'Which countries the second document places elsewhere than the first, from its effectiveFrom on, and when; with --data or --config also how many stored samples stand elsewhere than it says. Ends with 0 whether something moves or not, with 1 where a document is unsound. Nothing is moved.',
    [
      'policy diff policy/residency-1.json draft.json',
      'policy diff policy/residency-1.json draft.json --config cluster.env --json',
    ],
  )
    .summary(
      'Which countries a document places elsewhere than another, when, and how many stored samples that concerns.',
    )
    .argument('<before>', 'the document in force')
    .argument('<after>', 'the one proposed')
    .action(answering(session, answer, async () => (await import('./policy-diff.ts')).diff));
}

function policyShowCommand(policy: Command, session: Session, answer: Answer): void {
  describe(
    policy,
    'show',
    'The newest valid policy version, or the one asked for; names those that everybody ignores.',
    ['policy show', 'policy show --version 1 --json'],
  )
    .option('--version <n>', 'this version instead of the newest', parseWhole(1, 999_999_999))
    .action(answering(session, answer, async () => (await import('./policy-show.ts')).show));
}

function policyPublishCommand(policy: Command, session: Session, answer: Answer): void {
  describe(
    policy,
    'publish',
    "Publish a version: checks it, makes its regions' keys and sites (on a cluster: demands them), records on residency.control who publishes it, appends it, and says when it is in force. A version that everybody would ignore is refused before.",
    [
      'policy publish policy/residency-2.json',
      'policy publish policy/residency-1.json --config cluster.env',
    ],
  )
    .summary(
      'Publish a version: checks it, makes what its regions need, appends it, says when it is in force.',
    )
    .argument('<file>', 'the document')
    .action(answering(session, answer, async () => (await import('./policy-publish.ts')).publish));
}

import type { Command } from 'commander';
import { answering, describe, parseAt, parseSubmission } from '../terminal/command.ts';
import type { Answer } from '../terminal/command.ts';
import { intakeOptions } from '../publishing/intake-options.ts';
import type { Session } from '../terminal/session.ts';

export function statusCommand(program: Command, session: Session, answer: Answer): void {
  intakeOptions(
    describe(
      program,
      'status',
      [
        'Whether samples flow, where they wait and why; with a submission, what became of it.',
        '',
        'Without one it reads twice, two seconds apart: the logs and views themselves, and the probes and metrics of the services that RESIDENCY_METRICS_URLS or --url name. It judges by the limits of docs/reference/limits.md, as `doctor` and the alerts do. Ends with 1 if something is wrong or can not be read, with 3 if nothing could be asked. --url alone asks only that service; with --data both.',
        '',
        'With one it ends with 1 where nobody knows it. A cluster has no index of submissions: --config reads the whole audit log, --from a part of it.',
      ].join('\n'),
      [
        'status --config cluster.env',
        'status --watch --config cluster.env',
        'status --data /srv/residency --url http://127.0.0.1:8080',
        'status 2ba52bfcbe6949e6f632ce993ff2fbbbbff1d8a0ef647dafdc7009a51720ecbd',
        'status 2ba52bfcbe6949e6f632ce993ff2fbbbbff1d8a0ef647dafdc7009a51720ecbd --url http://127.0.0.1:8080 --json',
        'status 2ba52bfcbe6949e6f632ce993ff2fbbbbff1d8a0ef647dafdc7009a51720ecbd --config cluster.env --from 2026-01-31',
      ],
    )
      .summary(
        'Whether samples flow, where they wait and why; with a submission, what became of it.',
      )
      .argument('[submission]', 'the id `publish` printed', parseSubmission)
      .option(
        '--from <instant>',
        'with a submission and --config: it was published then or later; RFC 3339 or a date',
        parseAt,
      )
      .option('--watch', 'without a submission: look again every two seconds, until Ctrl-C'),
  ).action(answering(session, answer, async () => (await import('./status.ts')).statusOf));
}

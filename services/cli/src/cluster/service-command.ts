import { Argument } from 'commander';
import type { Command } from 'commander';
import { METRIC_SOURCES } from '@residency/telemetry/metric-sources';
import { answering, describe } from '../terminal/command.ts';
import type { Answer } from '../terminal/command.ts';
import type { Session } from '../terminal/session.ts';

const SERVICES = METRIC_SOURCES.filter((name) => name !== 'standalone');

export function serviceCommand(program: Command, session: Session, answer: Answer): void {
  describe(
    program,
    'service',
    "Run one of a cluster's services with the settings of --config in place of this process, until SIGTERM or Ctrl-C. What the environment sets wins.",
    ['service router --config residency.env', 'service intake --config residency.env'],
  )
    .summary("Run one of a cluster's services with the settings of --config.")
    .addArgument(new Argument('<name>', 'the service').choices(SERVICES))
    .action(answering(session, answer, async () => (await import('./service.ts')).runService));
}

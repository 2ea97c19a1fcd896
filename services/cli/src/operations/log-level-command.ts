import { ALL_SERVICES, CONTROL_LOG_LEVELS } from '@residency/contracts/vocabulary';
import { Argument, Option } from 'commander';
import { METRIC_SOURCES } from '@residency/telemetry/metric-sources';
import type { Command } from 'commander';
import { answering, describe } from '../terminal/command.ts';
import type { Answer } from '../terminal/command.ts';
import type { Session } from '../terminal/session.ts';

export function logLevelCommand(program: Command, session: Session, answer: Answer): void {
  describe(
    program,
    'log-level',
    "Set the least level of running services' log lines, also across restarts. `default`: as each is configured. For all services it also ends what was set for one.",
    [
      'log-level debug --service router --config cluster.env',
      'log-level default --config cluster.env',
      'log-level warn',
    ],
  )
    .summary("Set the least level of running services' log lines, also across restarts.")
    .addArgument(new Argument('<level>', 'the level').choices(CONTROL_LOG_LEVELS))
    .addOption(
      new Option('--service <name>', 'whose')
        .choices([ALL_SERVICES, ...METRIC_SOURCES])
        .default(ALL_SERVICES),
    )
    .action(answering(session, answer, async () => (await import('./log-level.ts')).setLevel));
}

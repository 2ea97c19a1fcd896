import { ALL_SERVICES, CONTROL_LOG_LEVELS, LOG_LEVEL_SET } from '@residency/contracts';
import { METRIC_SOURCES } from '@residency/telemetry';
import { Argument, Option } from 'commander';
import type { Command } from 'commander';
import { answering, describe } from '../command.ts';
import type { Answer, Common } from '../command.ts';
import { controlEvent, controlOf } from '../control.ts';
import { demandThere } from '../demand-there.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import type { Session } from '../session.ts';
import { withSystem } from '../with-system.ts';

type Level = (typeof CONTROL_LOG_LEVELS)[number];
type Options = Common & { readonly service: string };

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
    .action(
      answering(answer, (options: Options, level: Level) => setLevel(session, options, level)),
    );
}

async function setLevel(session: Session, options: Options, level: Level): Promise<ExitCode> {
  const { service, json } = options;
  const entry = controlEvent({ type: LOG_LEVEL_SET, data: { service, level } });
  await demandThere(options);
  return await withSystem(session, options, async (system) => {
    await system.append([entry]);
    const { logLevels } = await controlOf(system);
    const whose = service === ALL_SERVICES ? 'all services' : service;
    if (json) await session.output.json({ service, level, logLevels });
    else
      await session.output.line(
        level === 'default'
          ? `The log level of ${whose} is as configured, within a second.`
          : `The log level of ${whose} is ${level}, within a second, until \`residency log-level default${service === ALL_SERVICES ? '' : ` --service ${service}`}\`.`,
      );
    return EXIT.done;
  });
}

import { ALL_SERVICES, LOG_LEVEL_SET } from '@residency/contracts';
import type { CONTROL_LOG_LEVELS } from '@residency/contracts';
import type { Common } from '../terminal/command.ts';
import { controlEvent } from '../system/control.ts';
import { controlOf } from '../system/control-state.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import type { Session } from '../terminal/session.ts';
import { withSystem } from '../opening/with-system.ts';

type Level = (typeof CONTROL_LOG_LEVELS)[number];
type Options = Common & { readonly service: string };

export async function setLevel(
  session: Session,
  options: Options,
  level: Level,
): Promise<ExitCode> {
  const { service, json } = options;
  const entry = controlEvent(session, { type: LOG_LEVEL_SET, data: { service, level } });
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

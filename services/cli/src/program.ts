import { Command } from 'commander';
import { commonOptions, examplesText } from './command.ts';
import type { Answer } from './command.ts';
import { auditCommand } from './commands/audit.ts';
import { configCommand } from './commands/config.ts';
import { consentCommand } from './commands/consent.ts';
import { doctorCommand } from './commands/doctor.ts';
import { drainCommand } from './commands/drain.ts';
import { keysCommand } from './commands/keys.ts';
import { logLevelCommand } from './commands/log-level.ts';
import { pauseCommand, resumeCommand } from './commands/pause.ts';
import { policyCommand } from './commands/policy.ts';
import { publishCommand } from './commands/publish.ts';
import { quarantineCommand } from './commands/quarantine.ts';
import { reconcileCommand } from './commands/reconcile.ts';
import { routeCommand } from './commands/route.ts';
import { sampleCommand } from './commands/sample.ts';
import { siteCommand } from './commands/site.ts';
import { startCommand } from './commands/start.ts';
import { statusCommand } from './commands/status.ts';
import { topicsCommand } from './commands/topics.ts';
import { whereCommand } from './commands/where.ts';
import type { Session } from './session.ts';
import { VERSION } from './version.ts';

const COMMANDS = [
  startCommand,
  publishCommand,
  consentCommand,
  statusCommand,
  routeCommand,
  whereCommand,
  policyCommand,
  auditCommand,
  sampleCommand,
  keysCommand,
  quarantineCommand,
  reconcileCommand,
  configCommand,
  topicsCommand,
  siteCommand,
  pauseCommand,
  resumeCommand,
  drainCommand,
  logLevelCommand,
  doctorCommand,
];

/** The whole command line; throws `CommanderError` instead of ending the process. */
export function createProgram(session: Session, answer: Answer): Command {
  const program = commonOptions(new Command('residency'))
    .description(
      'Decides in which region a consented threat sample must live, seals it there, and shows why.',
    )
    .version(VERSION)
    // An option after a command's name is the command's: `policy show --version 1` asks for a policy's.
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError('(add --help for what it takes)')
    .addHelpText(
      'after',
      `${examplesText(['start', 'consent grant --consent consent-0001 --subject user-17', 'publish sample.bin --country CH --consent consent-0001', 'route --once', 'where CH JP BR'])}\n\nExit codes: 0 done, 1 found something wrong, 2 used wrongly, 3 could not reach something.`,
    );
  for (const add of COMMANDS) add(program, session, answer);
  return program;
}

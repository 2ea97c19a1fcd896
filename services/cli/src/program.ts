import { Command } from 'commander';
import { commonOptions, examplesText } from './terminal/command.ts';
import type { Answer } from './terminal/command.ts';
import { auditCommand } from './audit/audit-command.ts';
import { clockCommand } from './operations/clock-command.ts';
import { configCommand } from './cluster/config-command.ts';
import { consentCommand } from './publishing/consent-command.ts';
import { doctorCommand } from './doctor/doctor-command.ts';
import { drainCommand } from './operations/drain-command.ts';
import { keysCommand } from './samples/keys-command.ts';
import { logLevelCommand } from './operations/log-level-command.ts';
import { pauseCommand, resumeCommand } from './operations/pause-command.ts';
import { policyCommand } from './policy/policy-command.ts';
import { publishCommand } from './publishing/publish-command.ts';
import { quarantineCommand } from './samples/quarantine-command.ts';
import { reconcileCommand } from './audit/reconcile-command.ts';
import { routeCommand } from './operations/route-command.ts';
import { sampleCommand } from './samples/sample-command.ts';
import { serviceCommand } from './cluster/service-command.ts';
import { siteCommand } from './cluster/site-command.ts';
import { startCommand } from './operations/start-command.ts';
import { statusCommand } from './status/status-command.ts';
import { topicsCommand } from './cluster/topics-command.ts';
import { whereCommand } from './policy/where-command.ts';
import type { Session } from './terminal/session.ts';
import { refuseUnknownCommands } from './terminal/unknown-command.ts';
import { VERSION } from './terminal/version.ts';

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
  serviceCommand,
  pauseCommand,
  resumeCommand,
  drainCommand,
  logLevelCommand,
  clockCommand,
  doctorCommand,
];

/** The whole command line; throws `CommanderError` instead of ending the process. */
export function createProgram(session: Session, answer: Answer): Command {
  const { output, env } = session;
  const program = commonOptions(new Command('residency'))
    .description(
      'Decides in which region a consented threat sample must live, seals it there, and shows why.',
    )
    .version(VERSION)
    // An option after a command's name is the command's: `policy show --version 1` asks for a
    // policy's.
    .enablePositionalOptions()
    .exitOverride()
    // Inherited by every command made below.
    .configureOutput({
      writeOut: (text) => {
        output.text(text);
      },
      writeErr: (text) => {
        output.noteText(text);
      },
    })
    .showHelpAfterError('(add --help for what it takes)')
    .addHelpText(
      'after',
      `${examplesText(['start', 'consent grant --consent consent-0001 --subject user-17', 'publish sample.bin --country CH --consent consent-0001', 'route --once', 'where CH JP BR'])}\n\nExit codes: 0 done, 1 found something wrong, 2 used wrongly, 3 could not reach something, or write the answer.`,
    );
  const checkpoints = env['RESIDENCY_CHECKPOINTS'] ?? '';
  if (checkpoints !== '') program.setOptionValueWithSource('checkpoints', checkpoints, 'env');
  refuseUnknownCommands(program);
  for (const add of COMMANDS) add(program, session, answer);
  return program;
}

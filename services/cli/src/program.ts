import { Command } from 'commander';
import { commonOptions, examplesText } from './terminal/command.ts';
import type { Answer } from './terminal/command.ts';
import type { Session } from './terminal/session.ts';
import { refuseUnknownCommands } from './terminal/unknown-command.ts';
import { VERSION } from './terminal/version.ts';

type Declaration = (program: Command, session: Session, answer: Answer) => void;

/** By name, in the order in which `--help` lists them. */
const COMMANDS: Readonly<Record<string, () => Promise<Declaration>>> = {
  start: async () => (await import('./operations/start-command.ts')).startCommand,
  publish: async () => (await import('./publishing/publish-command.ts')).publishCommand,
  consent: async () => (await import('./publishing/consent-command.ts')).consentCommand,
  status: async () => (await import('./status/status-command.ts')).statusCommand,
  route: async () => (await import('./operations/route-command.ts')).routeCommand,
  where: async () => (await import('./policy/where-command.ts')).whereCommand,
  policy: async () => (await import('./policy/policy-command.ts')).policyCommand,
  audit: async () => (await import('./audit/audit-command.ts')).auditCommand,
  sample: async () => (await import('./samples/sample-command.ts')).sampleCommand,
  erase: async () => (await import('./erasure/erase-command.ts')).eraseCommand,
  hold: async () => (await import('./erasure/hold-command.ts')).holdCommand,
  keys: async () => (await import('./samples/keys-command.ts')).keysCommand,
  quarantine: async () => (await import('./samples/quarantine-command.ts')).quarantineCommand,
  reconcile: async () => (await import('./reconciling/reconcile-command.ts')).reconcileCommand,
  config: async () => (await import('./cluster/config-command.ts')).configCommand,
  topics: async () => (await import('./cluster/topics-command.ts')).topicsCommand,
  site: async () => (await import('./sites/site-command.ts')).siteCommand,
  service: async () => (await import('./cluster/service-command.ts')).serviceCommand,
  pause: async () => (await import('./operations/pause-command.ts')).pauseCommand,
  resume: async () => (await import('./operations/pause-command.ts')).resumeCommand,
  drain: async () => (await import('./operations/drain-command.ts')).drainCommand,
  'log-level': async () => (await import('./operations/log-level-command.ts')).logLevelCommand,
  clock: async () => (await import('./operations/clock-command.ts')).clockCommand,
  doctor: async () => (await import('./doctor/doctor-command.ts')).doctorCommand,
};

/**
 * The command line for these arguments: with the one command that they begin with, or else with
 * all. Throws `CommanderError` instead of ending the process.
 */
export async function createProgram(
  session: Session,
  answer: Answer,
  [first = '']: readonly string[],
): Promise<Command> {
  const program = emptyProgram(session);
  const named = Object.hasOwn(COMMANDS, first) ? COMMANDS[first] : undefined;
  const loads = named === undefined ? Object.values(COMMANDS) : [named];
  for (const add of await Promise.all(loads.map((load) => load()))) add(program, session, answer);
  return program;
}

function emptyProgram({ output, env }: Session): Command {
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
  return program;
}

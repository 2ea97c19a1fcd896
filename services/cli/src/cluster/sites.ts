import { checkReplacingS3Site, checkS3Site, initS3Site } from '@residency/adapter-s3';
import type { S3SiteSettings } from '@residency/adapter-s3';
import { codeOf } from '@residency/coded-error';
import { configurationOf } from '@residency/configuration';
import { CliError, usage } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { EXIT, exitCodeOf } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { checkInterrupted } from '../terminal/session.ts';
import type { Session } from '../terminal/session.ts';
import type { ConfigFile } from './config-file.ts';
import { settingsFile } from './settings-command.ts';

type SiteOptions = Common & { readonly all?: true; readonly role?: SiteCheckRole };

/** Whose credentials `site check` uses. */
export type SiteCheckRole = 'router' | 'custodian';

interface Step {
  readonly done: string;
  /** With --all, sites that are out of service are left out. */
  readonly inService: boolean;
  readonly work: (settings: S3SiteSettings) => Promise<void>;
}

const STEPS = {
  init: { done: 'initialised', inService: false, work: initS3Site },
  check: { done: 'verified', inService: true, work: checkS3Site },
  checkAsCustodian: {
    done: 'verified as the custodian',
    inService: true,
    work: checkReplacingS3Site,
  },
} satisfies Record<string, Step>;

type Asked = [session: Session, options: SiteOptions, names: readonly string[]];

/** The implementations of `site init` and `site check`. */
export const eachSite = {
  init: (...asked: Asked) => each(STEPS.init, ...asked),
  check: (...asked: Asked) =>
    each(asked[1].role === 'custodian' ? STEPS.checkAsCustodian : STEPS.check, ...asked),
};

async function each(
  step: Step,
  session: Session,
  options: SiteOptions,
  names: readonly string[],
): Promise<ExitCode> {
  if ((options.all === true) === names.length > 0)
    throw usage('Expected either sites or --all, found both or neither.');
  const section = options.role === 'custodian' ? 'custodians' : 'sites';
  const file = await settingsFile(session, options);
  const { [section]: sites } = configurationOf([section], file);
  const out = step.inService && names.length === 0 ? await sitesOut(session, file) : NONE;
  const codes: ExitCode[] = [];
  for (const settings of chosen(sites, names)) {
    checkInterrupted(session);
    codes.push(
      out.has(settings.site)
        ? await tell(session, options, settings, 'out of service, not asked')
        : await attempt(session, options, settings, step),
    );
  }
  return (
    codes.find((code) => code !== EXIT.done && code !== EXIT.unreachable) ??
    codes.find((code) => code !== EXIT.done) ??
    EXIT.done
  );
}

function chosen(
  sites: readonly S3SiteSettings[],
  names: readonly string[],
): readonly S3SiteSettings[] {
  if (names.length === 0) return sites;
  const unknown = names.filter((name) => !sites.some(({ site }) => site === name));
  if (unknown.length > 0)
    throw new CliError({
      code: 'CONFIGURATION_INCOMPLETE',
      message: `Expected sites of the regions file (${sites.map(({ site }) => site).join(', ')}), found ${unknown.length} others; correct their names.`,
      remedy: 'stop',
    });
  return sites.filter(({ site }) => names.includes(site));
}

const NONE: ReadonlySet<string> = new Set();

async function sitesOut(session: Session, file: ConfigFile): Promise<ReadonlySet<string>> {
  // Loaded on demand, because it loads Kafka's client.
  const { readSitesOut } = await import('./sites-out.ts');
  return await readSitesOut(session, file);
}

async function tell(
  { output }: Session,
  { json }: Pick<Common, 'json'>,
  { site, region }: S3SiteSettings,
  state: string,
): Promise<ExitCode> {
  await (json ? output.json({ site, region, state }) : output.line(`${site}  ${region}  ${state}`));
  return EXIT.done;
}

/** Reports a failure, and continues with the next site. */
async function attempt(
  session: Session,
  options: Pick<Common, 'json'>,
  settings: S3SiteSettings,
  { done, work }: Step,
): Promise<ExitCode> {
  const { output } = session;
  const { site, region } = settings;
  try {
    await work(settings);
    return await tell(session, options, settings, done);
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined || !(error instanceof Error)) throw error;
    await (options.json
      ? output.json({ site, region, code, message: error.message })
      : output.line(`${site}  ${region}  ${code}  ${error.message}`));
    return exitCodeOf(error);
  }
}

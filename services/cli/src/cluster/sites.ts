import { initS3Site, verifyS3Site } from '@residency/adapter-s3';
import type { S3SiteSettings } from '@residency/adapter-s3';
import { codeOf } from '@residency/coded-error';
import { CliError, usage } from '../cli-error.ts';
import type { Common } from '../command.ts';
import { EXIT, exitCodeOf } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { checkInterrupted } from '../session.ts';
import type { Session } from '../session.ts';
import { settingsOf } from '../settings-command.ts';

export type SiteOptions = Common & { readonly all?: true };

interface Step {
  readonly done: string;
  readonly work: (settings: S3SiteSettings) => Promise<void>;
}

const STEPS = {
  init: { done: 'initialised', work: initS3Site },
  check: { done: 'verified', work: verifyS3Site },
} satisfies Record<string, Step>;

export async function eachSite(
  session: Session,
  options: SiteOptions,
  names: readonly string[],
  what: keyof typeof STEPS,
): Promise<ExitCode> {
  if ((options.all === true) === names.length > 0)
    throw usage('Expected either sites or --all, found both or neither.');
  const { sites } = await settingsOf(session, options, ['sites']);
  const codes: ExitCode[] = [];
  for (const settings of chosen(sites, names)) {
    checkInterrupted(session);
    codes.push(await attempt(session, options, settings, STEPS[what]));
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

/** One that fails is said, and the next one is tried. */
async function attempt(
  { output }: Session,
  { json }: Pick<Common, 'json'>,
  settings: S3SiteSettings,
  { done, work }: Step,
): Promise<ExitCode> {
  const { site, region } = settings;
  try {
    await work(settings);
    await (json
      ? output.json({ site, region, state: done })
      : output.line(`${site}  ${region}  ${done}`));
    return EXIT.done;
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined || !(error instanceof Error)) throw error;
    await (json
      ? output.json({ site, region, code, message: error.message })
      : output.line(`${site}  ${region}  ${code}  ${error.message}`));
    return exitCodeOf(error);
  }
}

import {
  SECTIONS,
  configurationOf,
  explainConfiguration,
  mistakeLine,
  readConfiguration,
} from '@residency/configuration';
import type { Configuration, Section } from '@residency/configuration';
import { ok, wrong } from '@residency/observation';
import type { CheckResult } from '@residency/observation';
import type { ConfigFile } from '../cluster/config-file.ts';
import { counted } from '../terminal/table.ts';
import { needed } from './doctor-error.ts';
import { Part } from './part.ts';

/** Sections of single services, which the file of another machine may omit. */
const OPTIONAL: ReadonlySet<string> = new Set(['ledger', 'checkpoints', 'auditing', 'reconciling']);

/**
 * Every mistake in the sections that a deployment needs, and in the optional sections that are set.
 */
export function judgeConfiguration(file: ConfigFile): readonly CheckResult[] {
  const check = 'configuration';
  const sections = SECTIONS.filter((section) => !OPTIONAL.has(section) || says(file, section));
  const { mistakes } = readConfiguration(sections, file);
  if (mistakes.length > 0)
    return mistakes.map((mistake): CheckResult => ({
      ...wrong(check, mistakeLine(mistake)),
      code: 'CONFIGURATION_INVALID',
    }));
  const set = explainConfiguration(sections, file).filter(({ state }) => state === 'set').length;
  return [ok(check, `${counted(set, 'setting')}, no mistake`)];
}

/** True if any variable of the section is set. */
export function says(file: ConfigFile, section: Section): boolean {
  return explainConfiguration([section], file).some(({ state }) => state === 'set');
}

/**
 * The configured time between two checkpoints, milliseconds, or its default. The section is not
 * read as a whole, because the key in it belongs to the auditor only. Throws `NEEDED` if the
 * variable is invalid.
 */
export function checkpointIntervalMs(file: ConfigFile): number {
  const { shown = '' } =
    explainConfiguration(['auditing'], file).find(
      ({ variable }) => variable === 'RESIDENCY_LEDGER_INTERVAL_MS',
    ) ?? {};
  if (!/^\d{1,9}$/.test(shown)) throw needed('configuration (auditing)');
  return Number(shown);
}

/** Variables of other sections on which a section's default depends. */
const BORROWED: Readonly<Partial<Record<Section, readonly string[]>>> = {
  checkpoints: ['RESIDENCY_LEDGER_KEY_FILE'],
};

/** Reads one section alone: mistakes in others and unknown names do not affect it. */
export function settingsPart<const S extends Section>(
  file: ConfigFile,
  section: S,
): Part<Configuration[S]> {
  // oxlint-disable-next-line typescript/require-await -- what it throws is to reach whoever asks for it
  return new Part(`configuration (${section})`, async () => {
    const own = new Set([
      ...explainConfiguration([section], file).map(({ variable }) => variable),
      ...(BORROWED[section] ?? []),
    ]);
    const env = Object.fromEntries(Object.entries(file.env).filter(([name]) => own.has(name)));
    const settings: Pick<Configuration, S> = configurationOf([section], { ...file, env });
    return settings[section];
  });
}

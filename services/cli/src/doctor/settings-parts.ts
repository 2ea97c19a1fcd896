import {
  SECTIONS,
  configurationOf,
  explainConfiguration,
  mistakeLine,
  readConfiguration,
} from '@residency/configuration';
import type { Configuration, Section } from '@residency/configuration';
import type { ConfigFile } from '../config-file.ts';
import { counted } from '../table.ts';
import { needed } from './doctor-error.ts';
import { ok, wrong } from './finding.ts';
import type { Finding } from './finding.ts';
import { Part } from './part.ts';

/** Parts of one service's own, which a file for another machine may leave out whole. */
const OPTIONAL: ReadonlySet<string> = new Set(['ledger', 'auditing', 'reconciling']);

/** Every mistake of what a deployment has to say, and of what it says beside. */
export function judgeConfiguration(file: ConfigFile): readonly Finding[] {
  const check = 'configuration';
  const sections = SECTIONS.filter((section) => !OPTIONAL.has(section) || says(file, section));
  const { mistakes } = readConfiguration(sections, file);
  if (mistakes.length > 0)
    return mistakes.map((mistake): Finding => ({
      ...wrong(check, mistakeLine(mistake)),
      code: 'CONFIGURATION_INVALID',
    }));
  const set = explainConfiguration(sections, file).filter(({ state }) => state === 'set').length;
  return [ok(check, `${counted(set, 'setting')}, no mistake`)];
}

/** Whether any of a section's variables is set. */
export function says(file: ConfigFile, section: Section): boolean {
  return explainConfiguration([section], file).some(({ state }) => state === 'set');
}

/** Between two checkpoints, milliseconds: as it is set, or its default. Its section is not read whole, because the key beside it is the auditor's alone. Throws `NEEDED` where it is mistaken. */
export function checkpointIntervalMs(file: ConfigFile): number {
  const { shown = '' } =
    explainConfiguration(['auditing'], file).find(
      ({ variable }) => variable === 'RESIDENCY_LEDGER_INTERVAL_MS',
    ) ?? {};
  if (!/^\d{1,9}$/.test(shown)) throw needed('configuration (auditing)');
  return Number(shown);
}

/** A section by itself: a mistake elsewhere, and a name that nobody knows, say nothing about it. */
export function settingsPart<const S extends Section>(
  file: ConfigFile,
  section: S,
): Part<Configuration[S]> {
  // oxlint-disable-next-line typescript/require-await -- what it throws is to reach whoever asks for it
  return new Part(`configuration (${section})`, async () => {
    const own = new Set(explainConfiguration([section], file).map(({ variable }) => variable));
    const env = Object.fromEntries(Object.entries(file.env).filter(([name]) => own.has(name)));
    const settings: Pick<Configuration, S> = configurationOf([section], { ...file, env });
    return settings[section];
  });
}

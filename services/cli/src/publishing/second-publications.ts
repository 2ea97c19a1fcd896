import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { PublicationRecord } from '@residency/adapter-sqlite/publication-record';
import type { PublicationOptions } from '@residency/adapter-sqlite';
import { twoLetterCode } from '@residency/residency/assigned-code';
import type { Common } from '../terminal/command.ts';
import type { IntakeOptions } from './intake-options.ts';
import type { Session } from '../terminal/session.ts';

type Where = Pick<Common, 'data' | 'config'> & IntakeOptions;

/**
 * Notices a second publication of a file with another country or consent: neither a cluster nor an
 * intake can be asked under which country a submission came, and one identity in two regions is
 * lawful to each of them.
 */
export class SecondPublications {
  readonly #note: (text: string) => void;
  readonly #file: string;
  #record: PublicationRecord | undefined;

  /** To be opened once the system is there: a data directory keeps its own record. */
  constructor({ env, output }: Session, where: Where) {
    this.#note = (text) => {
      output.note(text);
    };
    const { file, target } = publicationRecordOf(env, where);
    this.#file = file;
    this.#record = this.#usable(() => new PublicationRecord(file, target));
  }

  /**
   * How it was published before, in words; `undefined`: not at all, or with the same country and
   * consent, or nobody knows.
   */
  earlier(submission: string, options: PublicationOptions): string | undefined {
    const others = this.#usable(() => this.#record?.others(submission, options)) ?? [];
    if (others.length === 0) return undefined;
    const countries = [...new Set(others.flatMap(({ country }) => country ?? []))];
    if (countries.length === 0) return 'under another consent';
    return `with country ${countries.map((country) => twoLetterCode(country) ?? 'that is no code').join(', ')}`;
  }

  keep(submissions: readonly string[], options: PublicationOptions): void {
    this.#usable(() => {
      this.#record?.keep(submissions, options);
    });
  }

  close(): void {
    this.#record?.close();
  }

  /**
   * If the record cannot be used, publishing goes on with a note that second publications are not
   * detected.
   */
  #usable<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch {
      this.#record = undefined;
      this.#note(
        `No record can be kept of what is published (${this.#file}), so a second publication of a file with another country or consent is not noticed.`,
      );
      return undefined;
    }
  }
}

/**
 * The records for intakes and clusters are in the user's state folder (XDG Base Directory
 * Specification).
 */
export function publicationRecordOf(
  env: Session['env'],
  { data, config, url }: Where,
): { readonly file: string; readonly target: string } {
  if (url === undefined && config === undefined)
    return { file: join(data, 'published.db'), target: '' };
  const state = env['XDG_STATE_HOME'];
  const folder = state === undefined || state === '' ? join(homedir(), '.local/state') : state;
  return {
    file: join(folder, 'residency/published.db'),
    target: url ?? `cluster ${resolve(config ?? '')}`,
  };
}

import type { ConfigurationSource } from './configuration-source.ts';
import { shown } from './mistake.ts';
import type { Mistake } from './mistake.ts';
import type { Variable } from './variable.ts';
import { VARIABLES } from './variables.ts';
import type { ValueOf, VariableName } from './variables.ts';

/**
 * Reads variables and collects their mistakes, so that all are reported at once. A variable may be
 * read twice; its mistake counts once.
 */
export class EnvironmentReader {
  readonly #source: ConfigurationSource;
  readonly #mistakes = new Map<string, Mistake>();

  constructor(source: ConfigurationSource) {
    this.#source = source;
  }

  get clientId(): string {
    return this.#source.clientId ?? 'residency';
  }

  get mistakes(): readonly Mistake[] {
    return [...this.#mistakes.values()];
  }

  mistaken(mistake: Mistake): undefined {
    const { variable, expected, found } = mistake;
    this.#mistakes.set(`${variable}\n${expected}\n${found}`, mistake);
  }

  /** The text of the variable. */
  text(name: string): string | undefined {
    const text = this.#source.env[name];
    return text === '' ? undefined : text;
  }

  isSet(name: string): boolean {
    return this.text(name) !== undefined;
  }

  /** The value or its default; `undefined`: neither exists, or the value is a mistake. */
  get<Name extends VariableName>(name: Name): ValueOf<Name> | undefined {
    const variable: Variable = VARIABLES[name];
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the table's own types
    return this.read(name, variable) as ValueOf<Name> | undefined;
  }

  read<T>(name: string, variable: Variable<T>): T | undefined {
    const text = this.text(name) ?? variable.default;
    if (text === undefined)
      return variable.required === true
        ? this.mistaken({ variable: name, expected: variable.expected, found: 'nothing' })
        : undefined;
    const parsed = variable.schema.safeParse(text);
    if (parsed.success) return parsed.data;
    return this.mistaken({
      variable: name,
      expected: variable.expected,
      found: variable.secret === true ? 'something else' : shown(text),
    });
  }

  /** The text of the file that a variable names. */
  file(name: VariableName): string | undefined {
    const path = this.get(name);
    return typeof path === 'string' ? this.fileAt(name, path) : undefined;
  }

  fileAt(name: string, path: string): string | undefined {
    try {
      return this.#source.readFile(path);
    } catch (error) {
      const reason = error instanceof Error && 'code' in error ? String(error.code) : 'a failure';
      return this.mistaken({
        variable: name,
        expected: 'the path of a file that can be read',
        found: reason,
      });
    }
  }

  /**
   * A secret, from its own variable or from the file that the other variable names, but not from
   * both.
   */
  secret(
    name: string,
    fileName: string,
    of: { readonly secret: Variable<string>; readonly file: Variable<string> },
  ): string | undefined {
    if (this.isSet(name) && this.isSet(fileName))
      return this.mistaken({
        variable: fileName,
        expected: `nothing beside ${name}`,
        found: 'both',
      });
    if (!this.isSet(fileName)) return this.read(name, of.secret);
    const path = this.read(fileName, of.file);
    const text = path === undefined ? undefined : this.fileAt(fileName, path);
    if (text === undefined) return undefined;
    const parsed = of.secret.schema.safeParse(text.replace(/\r?\n$/, ''));
    return parsed.success
      ? parsed.data
      : this.mistaken({
          variable: fileName,
          expected: `a file that holds ${of.secret.expected}`,
          found: 'something else',
        });
  }

  /** The mistake names `needed`, the variable on which the others depend. */
  refuseWithout(condition: boolean, names: readonly string[], needed: string): void {
    if (condition) return;
    for (const name of names)
      if (this.isSet(name))
        this.mistaken({ variable: name, expected: `${needed} beside it`, found: 'it alone' });
  }
}

/** The object without `undefined` members; `undefined` if a member is undefined. */
export function complete<T extends object>(
  members: T,
): { readonly [K in keyof T]: Exclude<T[K], undefined> } | undefined {
  if (Object.values(members).includes(undefined)) return undefined;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- just looked
  return members as { readonly [K in keyof T]: Exclude<T[K], undefined> };
}

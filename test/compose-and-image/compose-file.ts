import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { SECTIONS } from '@residency/configuration';
import type { Section } from '@residency/configuration';
import { parse } from 'yaml';
import { files, root, text } from '../architecture/tree.ts';

export const FOLDER = 'deploy/compose';

/**
 * The parts of a service in the file. Only short forms are supported, because the file uses no
 * others.
 */
export interface ComposeService {
  readonly image: string;
  readonly build?: { readonly context: string };
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  readonly volumes?: readonly string[];
  readonly networks?: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly deploy?: { readonly replicas: number };
  readonly profiles?: readonly string[];
  readonly user?: string;
  readonly init?: boolean;
  readonly read_only?: boolean;
  readonly tmpfs?: readonly string[];
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly stop_grace_period?: string;
  readonly restart?: string;
}

export interface Compose {
  readonly name: string;
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, object>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

export const compose = parse(text(`${FOLDER}/compose.yaml`), { merge: true }) as Compose;

/** The variables that `setup` and the command line read. */
export const commandLine = parseEnv(text(`${FOLDER}/residency.env`)) as Readonly<
  Record<string, string>
>;

/** Every service of this repository that runs permanently; a custodian for each region. */
export const SERVICES: readonly string[] = files('services/*/src/main.ts')
  .map((path) => path.split('/')[1] ?? '')
  .filter((name) => name !== 'cli')
  .flatMap((name) => (name === 'custodian' ? ['custodian-zurich', 'custodian-moscow'] : [name]));

/** The folder in `services/` of a service. */
export function programOf(name: string): string {
  return name.replace(/^custodian-.+$/, 'custodian');
}

export function service(name: string): ComposeService {
  const found = compose.services[name];
  if (found === undefined)
    throw new Error(`Expected a service ${name} in ${FOLDER}/compose.yaml, found none.`);
  return found;
}

/** Names of services that run this repository's image. */
export const ours: readonly string[] = Object.keys(compose.services).filter(
  (name) => service(name).build !== undefined,
);

/** The configuration sections that a service requests. */
export function sectionsOf(name: string): readonly Section[] {
  const [, list = ''] =
    /const SECTIONS = \[([^\]]+)\]/.exec(text(`services/${programOf(name)}/src/config.ts`)) ?? [];
  const named = [...list.matchAll(/'(\w+)'/g)].map(([, section]) => section);
  const sections = SECTIONS.filter((section) => named.includes(section));
  if (sections.length === 0 || sections.length !== named.length)
    throw new Error(
      `Expected services/${name}/src/config.ts to list its sections, found ${named.join(', ') || 'none'}.`,
    );
  return sections;
}

export interface Mount {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  /** `true`: a path of this machine; else a volume. */
  readonly bound: boolean;
}

export function mounts(name: string): readonly Mount[] {
  return (service(name).volumes ?? []).map((volume) => {
    const [source = '', target = '', mode] = volume.split(':');
    return { source, target, readOnly: mode === 'ro', bound: source.startsWith('.') };
  });
}

/** A path beside compose.yaml, below the repository. */
export function repositoryPath(source: string): string {
  return join(FOLDER, source);
}

let made: string | undefined;

/** A folder with the output of make-secrets.sh, until `removeSecrets`. */
export function secretsFolder(): string {
  if (made === undefined) {
    made = mkdtempSync(join(tmpdir(), 'residency-secrets-'));
    makeSecrets(made);
  }
  return made;
}

export function removeSecrets(): void {
  if (made !== undefined) rmSync(made, { recursive: true });
  made = undefined;
}

export function makeSecrets(folder: string): void {
  execFileSync('sh', [join(root, FOLDER, 'make-secrets.sh'), folder], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

const NOT_THERE = { code: 'ENOENT' };

/** The files that setup.sh leaves in volumes. */
const IN_VOLUMES: Readonly<Record<string, string>> = {
  '/var/lib/residency/ledger-key/key': 'PRIVATE+KEY+name+id+key\n',
};

/** Reads a path as a container of the service would. */
export function fileOf(name: string): (path: string) => string {
  return (path) => {
    const [, secret] = /^\/run\/secrets\/([\w-]+)$/.exec(path) ?? [];
    if (secret !== undefined) {
      const source = compose.secrets[secret];
      if (source === undefined || !(service(name).secrets ?? []).includes(secret))
        throw Object.assign(new Error(`${name} is not handed ${secret}`), NOT_THERE);
      return readFileSync(join(secretsFolder(), source.file.replace(/^\.\/secrets\//, '')), 'utf8');
    }
    const mount = mounts(name).find(
      ({ target }) => path === target || path.startsWith(`${target}/`),
    );
    if (mount === undefined)
      throw Object.assign(new Error(`${name} mounts nothing at ${path}`), NOT_THERE);
    if (mount.bound) return text(repositoryPath(mount.source));
    const content = IN_VOLUMES[path];
    if (content === undefined)
      throw Object.assign(new Error(`setup.sh leaves nothing at ${path}`), NOT_THERE);
    return content;
  };
}

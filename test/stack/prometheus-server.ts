import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts } from './free-ports.ts';
import { Guarded } from './guarded.ts';
import { GuardedServer } from './server.ts';

const DEPLOYED = fileURLToPath(new URL('../../deploy/prometheus/', import.meta.url));
/** Of services on a cluster, and of everything in one process. */
const RULES = {
  cluster: ['rules/*.yml'],
  standalone: ['rules/recording.yml', 'standalone/rules/*.yml'],
} as const;

/** A job's name and the `host:port` of its processes. */
export type Targets = Readonly<Record<string, readonly string[]>>;

export interface FiringAlert {
  readonly state: 'pending' | 'firing';
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * A real Prometheus with the rules of deploy/prometheus, which scrapes the given targets. It dies with
 * this process.
 */
export class PrometheusServer {
  readonly url: string;
  readonly #guarded: Guarded;
  readonly #folder: string;

  private constructor(url: string, guarded: Guarded, folder: string) {
    this.url = url;
    this.#guarded = guarded;
    this.#folder = folder;
  }

  static async open(
    targets: Targets,
    intervalSeconds: number,
    rules: keyof typeof RULES = 'cluster',
  ): Promise<PrometheusServer> {
    const guarded = await Guarded.open();
    const folder = await mkdtemp(join(tmpdir(), 'residency-prometheus-'));
    const [port = 0] = await freePorts(1);
    const url = `http://127.0.0.1:${port}`;
    const file = join(folder, 'prometheus.yml');
    // JSON is YAML.
    await writeFile(
      file,
      JSON.stringify({
        global: {
          scrape_interval: `${intervalSeconds}s`,
          evaluation_interval: `${intervalSeconds}s`,
        },
        rule_files: RULES[rules].map((path) => join(DEPLOYED, path)),
        scrape_configs: Object.keys(targets).map((job) => ({
          job_name: job,
          file_sd_configs: [{ files: [join(folder, `${job}.json`)], refresh_interval: '1s' }],
        })),
      }),
    );
    const prometheus = new PrometheusServer(url, guarded, folder);
    await prometheus.scrape(targets);
    await new GuardedServer(guarded, {
      name: 'prometheus',
      command: 'prometheus',
      args: [
        `--config.file=${file}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=warn',
      ],
      ready: async () => (await fetch(`${url}/-/ready`)).ok,
    }).start();
    return prometheus;
  }

  /** From now on these; a job's name stays. */
  async scrape(targets: Targets): Promise<void> {
    for (const [job, hosts] of Object.entries(targets))
      await writeFile(join(this.#folder, `${job}.json`), JSON.stringify([{ targets: hosts }]));
  }

  async alerts(): Promise<readonly FiringAlert[]> {
    const response = await fetch(`${this.url}/api/v1/alerts`);
    return (
      (await response.json()) as { readonly data: { readonly alerts: readonly FiringAlert[] } }
    ).data.alerts;
  }

  /** How each rule's last evaluation went; `unknown`: there was none yet. */
  async rules(): Promise<readonly { readonly name: string; readonly health: string }[]> {
    const response = await fetch(`${this.url}/api/v1/rules`);
    const { data } = (await response.json()) as {
      readonly data: {
        readonly groups: readonly {
          readonly rules: readonly { readonly name: string; readonly health: string }[];
        }[];
      };
    };
    return data.groups.flatMap(({ rules }) => rules);
  }

  /** The value of each series that a query finds now. */
  async query(promql: string): Promise<readonly number[]> {
    const response = await fetch(`${this.url}/api/v1/query?query=${encodeURIComponent(promql)}`);
    return (
      (await response.json()) as {
        readonly data: {
          readonly result: readonly { readonly value: readonly [number, string] }[];
        };
      }
    ).data.result.map(({ value }) => Number(value[1]));
  }

  async close(): Promise<void> {
    await this.#guarded.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

import { Session } from 'node:inspector/promises';
import type { Profiler } from 'node:inspector';

const SAMPLING_MICROSECONDS = 500;

/**
 * Microseconds of the main thread by the innermost package on the stack. Node's work for a package
 * counts as the package's.
 */
export type MainThread = Readonly<Record<string, number>>;

/** Samples the main thread until `stop`. */
export class MainThreadProfile {
  readonly #session: Session;

  private constructor(session: Session) {
    this.#session = session;
  }

  static async start(): Promise<MainThreadProfile> {
    const session = new Session();
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: SAMPLING_MICROSECONDS });
    await session.post('Profiler.start');
    return new MainThreadProfile(session);
  }

  async stop(): Promise<MainThread> {
    const { profile } = await this.#session.post('Profiler.stop');
    this.#session.disconnect();
    return byAsker(profile);
  }
}

function byAsker({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): MainThread {
  const askers = askersOf(nodes);
  const sums = new Map<string, number>();
  samples.forEach((id, index) => {
    const asker = askers.get(id) ?? NODE;
    // A sample represents the time until the next one.
    sums.set(asker, (sums.get(asker) ?? 0) + (timeDeltas[index + 1] ?? 0));
  });
  return Object.fromEntries(sums);
}

const NODE = 'Node.js by itself: sockets, timers, promises';
const SPECIAL: ReadonlyMap<string, string> = new Map([
  ['(idle)', 'waiting'],
  ['(garbage collector)', 'garbage collection'],
  ['(program)', 'native code outside of JavaScript'],
]);

function askersOf(nodes: readonly Profiler.ProfileNode[]): ReadonlyMap<number, string> {
  const parents = new Map(
    nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id] as const)),
  );
  const own = new Map(
    nodes.map(
      ({ id, callFrame: { functionName, url } }) =>
        [id, SPECIAL.get(functionName) ?? packageOf(url)] as const,
    ),
  );
  return new Map(
    nodes.map(({ id }) => {
      for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
        const name = own.get(at);
        if (name !== undefined) return [id, name];
      }
      return [id, NODE];
    }),
  );
}

/** The packages that make up one library. */
const FAMILIES = [
  ['S3 client (@aws-sdk, @smithy)', /^@(aws-sdk|smithy|aws)\/|^fast-xml-parser$/],
  [
    'Encryption SDK (@aws-crypto)',
    /^@aws-crypto\/|^(readable-stream|duplexify|bn\.js|asn1\.js|safer-buffer)$/,
  ],
  ['Redis client (ioredis)', /^(ioredis|redis-parser|@ioredis\/)/],
] as const;

/** `undefined`: Node's own code. */
function packageOf(url: string): string | undefined {
  const vendor = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];
  if (vendor !== undefined)
    return FAMILIES.find(([, members]) => members.test(vendor))?.[0] ?? vendor;
  const ours = /\/packages\/([^/]+)\/src\//.exec(url)?.[1];
  if (ours !== undefined) return `@residency/${ours}`;
  return url.startsWith('file:') ? 'the benchmark itself' : undefined;
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDataDirectory } from '@residency/standalone';
import { inProcess } from '../../../services/cli/test/in-process.ts';
import { start } from '../../e2e/residency.ts';
import type { Finished } from '../../e2e/residency.ts';
import { addReconciled } from '../cluster/cluster-verdict.ts';
import { custodyRow } from '../cluster/custody-rows.ts';
import { judgeDataDirectory } from '../judgement.ts';
import { readLog, readValues, waitingOnDisk } from '../on-disk.ts';
import { trafficConsents } from '../traffic.ts';
import type { DamageWorld } from './damage-world.ts';

const BETWEEN_COMPARISONS_MS = 1_000;

/** SQLite and folders, with `residency start` in a process of its own. */
export async function onDirectories<T>(work: (world: DamageWorld) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'residency-damage-'));
  const [directory, checkpoints] = [join(folder, 'data'), join(folder, 'checkpoints')];
  const common = ['--data', directory, '--checkpoints', checkpoints];
  try {
    const data = await openDataDirectory(directory, { checkpoints });
    await data.log.append(trafficConsents());
    const service = await start(folder, '--no-examples', ...common);
    // A proof that is given up must not leave it behind.
    const end = (): void => {
      service.child.kill('SIGKILL');
    };
    process.once('exit', end);
    try {
      const run = async (
        env: Readonly<Record<string, string>>,
        args: readonly string[],
      ): Promise<Finished> => {
        const { code, out, err } = await inProcess([...args, '--data', directory], {
          cwd: folder,
          env: {
            ...process.env,
            RESIDENCY_CHECKPOINTS: checkpoints,
            XDG_STATE_HOME: join(folder, 'state'),
            ...env,
          },
        });
        return { code, stdout: out, stderr: err };
      };
      return await work({
        append: (entries) => data.log.append(entries),
        waiting: async () => waitingOnDisk(directory),
        // Folders are never away.
        paid: async () => {},
        root: (site) => data.sitePath(site),
        place: (id) => `samples/${id.slice(0, 1)}/${id}`,
        residency: (...args) => run({}, args),
        reconcileAutomatically: async () =>
          keepReconciling(() => run({ RESIDENCY_REPAIR: 'auto' }, ['reconcile'])),
        logs: async () => readLog(directory),
        custody: async () =>
          readValues(directory, 'residency.custody.zurich').flatMap(({ value, at }) =>
            custodyRow(value, at),
          ),
        describe: async () => service.output().slice(-4_000),
        judge: async (traffic, tally, seed) => {
          const code = await service.stop();
          if (code !== 0)
            tally.find(
              seed,
              `residency start ended with ${String(code)}:\n${service.output().slice(-2_000)}`,
            );
          tally.addJudgement(
            seed,
            await judgeDataDirectory(directory, (row) => traffic.expectation(row)),
          );
          addReconciled(seed, await run({}, ['reconcile', '--open', '--json']), tally);
        },
      });
    } finally {
      await service.stop('SIGKILL');
      process.off('exit', end);
      await data.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** One comparison after the other, as a timer would run the command. */
function keepReconciling(once: () => Promise<Finished>): () => Promise<void> {
  const stop = new AbortController();
  const running = (async () => {
    while (!stop.signal.aborted) {
      const { code, stderr } = await once();
      if (code !== 0 && code !== 1)
        throw new Error(`reconcile ended with ${String(code)}: ${stderr}`);
      await sleep(BETWEEN_COMPARISONS_MS, undefined, { signal: stop.signal }).catch(
        () => undefined,
      );
    }
  })();
  return async () => {
    stop.abort();
    await running;
  };
}

import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import type { Folder } from './residency.ts';

export interface Started {
  readonly url: string;
  output(): string;
  stop(signal: NodeJS.Signals): Promise<number | null>;
}

/** `residency start` in a process of its own, on any free port. */
export async function start(folder: Folder, ...args: readonly string[]): Promise<Started> {
  const child = folder.spawn(['start', ...args], { RESIDENCY_PORT: '0' });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let output = '';
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      const url = /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0];
      if (url !== undefined) resolve(url);
    });
  }
  child.once('exit', () => {
    reject(new Error(`It ended before it listened:\n${output}`));
  });
  const url = await promise;
  return {
    url,
    output: () => output,
    stop: async (signal) => {
      const exited = once(child, 'exit');
      child.kill(signal);
      const [code] = (await exited) as [number | null];
      return code;
    },
  };
}

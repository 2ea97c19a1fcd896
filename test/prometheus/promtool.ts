import { execFile } from 'node:child_process';
import { root } from '../architecture/tree.ts';

/**
 * Runs promtool in the folder of rules and tests. Resolves with its output. Rejects unless it exits
 * with 0.
 */
export async function promtool(...args: readonly string[]): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  execFile('promtool', args, { cwd: root, maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
    if (error === null) resolve(`${stdout}${stderr}`);
    else if (error.code === 'ENOENT')
      reject(new Error('Expected promtool on the PATH, found none; run `npm run setup:tests`.'));
    else reject(new Error(`promtool ${args.join(' ')}:\n${stdout}${stderr}`));
  });
  return await promise;
}

import { execFile } from 'node:child_process';
import { root } from '../architecture/tree.ts';

/** Runs promtool where rules and tests stand; resolves with all that it says. Rejects where it ends with anything but 0. */
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

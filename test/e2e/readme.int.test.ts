import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { inTemporaryFolder, residency, start } from './residency.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
const blocks = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => block.trim());

/**
 * Splits a command like a shell: quoted words stay whole, and a backslash at a line's end is a
 * space.
 */
function words(command: string): string[] {
  return [...command.replaceAll('\\\n', ' ').matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, bare]) => double ?? single ?? bare ?? '',
  );
}

function commands(): string[][] {
  return blocks.flatMap((block) => block.replaceAll('\\\n', ' ').split('\n')).map(words);
}

/** Sends the request of `curl -i URL --data-binary @FILE -H ...`. */
async function send(arguments_: readonly string[], cwd: string, origin: string): Promise<Response> {
  const headers = arguments_.flatMap((word, index) =>
    arguments_[index - 1] === '-H' ? [word.split(/:\s*/, 2) as [string, string]] : [],
  );
  const url = arguments_.find((word) => word.startsWith('http')) ?? '';
  const file = arguments_.find((word) => word.startsWith('@'))?.slice(1) ?? '';
  return await fetch(url.replace(/^https?:\/\/[^/]+/, origin), {
    method: 'POST',
    headers,
    body: await readFile(join(cwd, file)),
  });
}

it("the README's commands do what the README says, in its order", async () => {
  const all = commands();
  expect(all.slice(0, 2).map((line) => line.join(' '))).toEqual([
    'npm ci && npm start',
    'npm ci && npm run setup:tests && npm test',
  ]);
  await inTemporaryFolder(async (folder) => {
    await cp(join(ROOT, 'README.md'), join(folder, 'README.md'));
    await cp(join(ROOT, 'docs'), join(folder, 'docs'), { recursive: true });
    await cp(join(ROOT, 'policy'), join(folder, 'policy'), { recursive: true });
    for (const [program, ...rest] of all.slice(2)) {
      if (program === 'curl') {
        const router = await start(folder);
        expect((await send(rest, folder, router.url)).status).toBe(202);
        expect(await router.stop()).toBe(0);
        continue;
      }
      expect([program, rest[0]]).toEqual(['npx', 'residency']);
      const { code, stdout, stderr } = await residency(folder, ...rest.slice(1));
      expect(code, `${rest.join(' ')}\n${stdout}${stderr}`).toBe(0);
    }
  });
});

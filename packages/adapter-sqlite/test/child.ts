import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A process of its own, what it printed so far, and how to end it the hard way. */
export interface Child {
  readonly lines: readonly string[];
  /** Resolves once it has printed this many lines; rejects if it ends before. */
  readonly printed: (count: number) => Promise<void>;
  /** SIGKILL; resolves when it is gone. */
  readonly kill: () => Promise<void>;
  readonly exit: Promise<number | null>;
}

export function startChild(script: 'append' | 'lock' | 'settle', ...parameters: string[]): Child {
  const path = fileURLToPath(new URL(`./children/${script}.ts`, import.meta.url));
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', path, ...parameters],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  const exit = once(child, 'exit').then(([code]: (number | null)[]) => code ?? null);
  return {
    lines,
    exit,
    printed: async (count) => {
      while (lines.length < count) {
        const over = await Promise.race([
          once(reader, 'line').then(() => false),
          exit.then(() => true),
        ]);
        if (over && lines.length < count) throw new Error('Expected the child to go on, it ended.');
      }
    },
    kill: async () => {
      child.kill('SIGKILL');
      await exit;
    },
  };
}

import type { SingleBar } from 'cli-progress';
import type { Session } from './session.ts';

/**
 * Shows how far something is, once it takes longer than a second and somebody looks at a terminal.
 */
export interface Progress {
  /** `total` where it is known. */
  update(done: number, total?: number): void;
  stop(): void;
}

const PATIENCE_MS = 1_000;

export function startProgress({ output, now }: Session, label: string): Progress {
  const { terminal } = output;
  if (terminal === undefined) return { update: () => undefined, stop: () => undefined };
  let bar: SingleBar | undefined;
  // Loaded only for a terminal, long before it is shown.
  void import('cli-progress').then(({ default: cliProgress }) => {
    bar = new cliProgress.SingleBar({
      stream: terminal,
      clearOnComplete: true,
      hideCursor: true,
      format: (_, { value, total, startTime }) =>
        line(label, value, total, (now() - startTime) / 1_000),
    });
  });
  const startedAt = now();
  let shown = false;
  return {
    update: (done, total = 0) => {
      if (bar === undefined || (!shown && now() - startedAt < PATIENCE_MS)) return;
      if (!shown) bar.start(total, done);
      shown = true;
      bar.setTotal(total);
      bar.update(done);
    },
    stop: () => {
      if (shown) bar?.stop();
    },
  };
}

const WIDTH = 30;

function line(label: string, value: number, total: number, seconds: number): string {
  const filled =
    total > 0 ? Math.min(WIDTH, Math.floor((WIDTH * value) / total)) : Math.floor(seconds) % WIDTH;
  const bar =
    total > 0
      ? '#'.repeat(filled).padEnd(WIDTH, '-')
      : '-'.repeat(filled) + '#' + '-'.repeat(WIDTH - filled - 1);
  return `${label} [${bar}] ${value}${total > 0 ? `/${total}` : ''}`;
}

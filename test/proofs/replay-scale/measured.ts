import { writeFileSync } from 'node:fs';

// Preloaded into a process (`node --import`): writes its duration and its peak memory at the end.
const startedAt = performance.now();
process.on('exit', () => {
  const file = process.env['REPLAY_SCALE_MEASURED'];
  const { user, system } = process.cpuUsage();
  if (file !== undefined)
    writeFileSync(
      file,
      JSON.stringify({
        seconds: (performance.now() - startedAt) / 1_000,
        cpuSeconds: (user + system) / 1e6,
        peakBytes: process.resourceUsage().maxRSS * 1_024,
      }),
    );
});

import { writeFileSync } from 'node:fs';

// Loaded before a process's own code (`node --import`): leaves behind how long it took and the most memory it had.
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

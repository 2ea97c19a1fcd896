import { parseArgs } from 'node:util';
import { endOnSignal } from '../end-on-signal.ts';
import { FAULTS, LAST_FAULT, SLOW_FAULTS } from './alert-faults.ts';
import { alertRun, failuresOf } from './alert-run.ts';

// `npm run proof:alerts`: every alert is fired by its fault, on real servers; about an hour. `--
// --only "Redis"`: only faults with that in their name. Exit 1 if an alert did not fire or clear,
// or if its runbook did not find the cause.
endOnSignal();
const { values } = parseArgs({ options: { only: { type: 'string' } } });
const { only } = values;
const chosen = (name: string): boolean => only === undefined || name.includes(only);
const result = await alertRun({
  faults: FAULTS.filter(({ name }) => chosen(name)),
  slow: SLOW_FAULTS.filter(({ name }) => chosen(name)),
  slowAfter: only === undefined ? 1 : 0,
  ...(chosen(LAST_FAULT.name) ? { last: LAST_FAULT } : {}),
  calmMs: only === undefined ? 180_000 : 30_000,
  longRunning: true,
  everyMs: 250,
  note: (line) => {
    process.stderr.write(`${new Date().toISOString()} ${line}\n`);
  },
});
console.log(
  '| fault | alert | seconds to fire | seconds to clear | its runbook found |\n|---|---|---:|---:|---|',
);
for (const { fault, alert, fired, cleared, notWaited, sought, found } of result.rows) {
  console.log(
    `| ${fault} | ${alert} | ${fired === undefined ? 'did not' : Math.round(fired)} | ${notWaited ?? (cleared === undefined ? 'did not' : Math.round(cleared))} | ${sought === undefined ? '' : found.join(', ')} |`,
  );
}
for (const failure of failuresOf(result)) console.log(failure);
if (failuresOf(result).length > 0) process.exitCode = 1;

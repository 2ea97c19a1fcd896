import { parseArgs } from 'node:util';
import { endOnSignal } from '../proofs/end-on-signal.ts';
import { ToolMissing, checkModel } from './check-model.ts';
import type { Finding } from './check-model.ts';
import { CONFIGURATIONS, LIMITS, MUTANTS } from './runs.ts';

// `npm run proof:model -- --large --only out`; exit 1 if a promise is broken or a mutant is not
// found, 3 if spin or gcc is missing.
endOnSignal();
const { values } = parseArgs({
  options: { large: { type: 'boolean', default: false }, only: { type: 'string' } },
});
const { large, only } = values;
let failed = false;

try {
  await configurations();
  if (!large && only === undefined) {
    await mutants();
    await limits();
  }
} catch (error) {
  if (!(error instanceof ToolMissing)) throw error;
  console.error(error.message);
  process.exit(3);
}
process.exit(failed ? 1 : 0);

async function configurations(): Promise<void> {
  console.log('| configuration | bounds | states | depth | memory | seconds | result |');
  console.log('|---|---|---|---|---|---|---|');
  for (const one of CONFIGURATIONS) {
    if (only !== undefined && one.name !== only) continue;
    const defines = large ? one.large : one.defines;
    const found = await checkModel(defines, { large });
    if (found.broken !== undefined) failed = true;
    const bounds = Object.entries(defines).map(([name, value]) =>
      value === true ? name : `${name}=${value}`,
    );
    console.log(
      `| ${one.name} | ${bounds.join(' ')} | ${found.states} | ${found.depth} | ${Math.ceil(found.megabytes)} MB | ${found.seconds.toFixed(1)} | ${found.broken ?? 'holds'} |`,
    );
  }
}

async function mutants(): Promise<void> {
  console.log('\n| mutant | fault | configuration | broken promise | states |');
  console.log('|---|---|---|---|---|');
  for (const { name, about, configuration, defines: own, breaks } of MUTANTS) {
    const defines = CONFIGURATIONS.find((one) => one.name === configuration)?.defines;
    const found = await checkModel({ ...defines, ...own, [name]: true });
    console.log(
      `| ${name} | ${about} | ${configuration} | ${judged(found, breaks)} | ${found.states} |`,
    );
  }
}

async function limits(): Promise<void> {
  console.log('\n| two faults at once | broken promise | states |');
  console.log('|---|---|---|');
  for (const { about, defines, breaks } of LIMITS) {
    const found = await checkModel(defines);
    console.log(`| ${about} | ${judged(found, breaks)} | ${found.states} |`);
  }
}

function judged({ broken }: Finding, expected: string): string {
  if (broken === expected) return `\`${broken}\``;
  failed = true;
  return `**expected \`${expected}\`, found ${broken ?? 'none'}**`;
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { Deployment } from '../../running-deployment/deployment.ts';
import type { OwnStack } from '../../stack/index.ts';
import { clusterEvidence } from '../cluster/cluster-evidence.ts';
import type { ClusterEvidence } from '../cluster/cluster-evidence.ts';
import type { ClusterTraffic } from '../cluster/cluster-traffic.ts';
import { missing, topicFaults, withMore } from '../cluster/cluster-verdict.ts';
import { guilty, judge } from '../judgement.ts';
import type { Judgement } from '../judgement.ts';
import { custodyEvidence } from './custody-evidence.ts';
import { custodyFaults, lostSamples, zurichFaults } from './judge-copies.ts';
import type { SeenChange } from './operator.ts';
import { Supervised } from './supervised.ts';

const LEDGER_WITHIN_MS = 300_000;
const AGAIN_AFTER_MS = 300;

export interface Judged {
  readonly stack: OwnStack;
  readonly deployment: Deployment;
  readonly traffic: ClusterTraffic;
  /** The number of acknowledged submissions, from the first on. */
  readonly acknowledged: number;
  readonly changes: readonly SeenChange[];
}

export interface Verdict {
  readonly judgement: Judgement;
  readonly findings: readonly string[];
  /** Stored samples that burned with their only copy, and that a person gave up. */
  readonly givenUp: number;
  /** Claims of the changes. */
  readonly claims: number;
  readonly copied: number;
  readonly reconcileDifferences: number;
  /** For each change: from the first command's start to the region's next `stored` event. */
  readonly flowMs: readonly number[];
}

/** Judges a run whose services have ended. */
export async function verdictOf(judged: Judged): Promise<Verdict> {
  const { stack, deployment, traffic, acknowledged, changes } = judged;
  const evidence = await clusterEvidence(stack, deployment);
  const custody = await custodyEvidence(stack, deployment);
  const present = new Set(evidence.intake.map((row) => traffic.indexOf(row)));
  const gone = lostSamples(evidence);
  const named = custody.changes.at(-1)?.unheld ?? 0;
  const judgement = withMore(
    withoutGone(
      judge(evidence, (row) => traffic.expectation(row, evidence.versions)),
      gone,
    ),
    {
      lost: [
        ...missing(acknowledged, present),
        ...(gone.size === named
          ? []
          : [
              `${gone.size} stored samples have no copy (${[...gone].slice(0, 3).join(', ')}), and the change names ${named}`,
            ]),
        ...(gone.size === 0 || changes.some(({ acceptedLoss }) => acceptedLoss)
          ? []
          : [`${gone.size} stored samples have no copy, and nobody accepted a loss`]),
      ],
      other: [
        ...topicFaults(evidence),
        ...custodyFaults(evidence, custody),
        ...zurichFaults(evidence, gone),
      ],
    },
  );
  const product = await productFindings(deployment, gone);
  return {
    judgement,
    findings: [...guilty(judgement), ...product],
    givenUp: gone.size,
    claims: custody.changes.reduce((sum, { claims }) => sum + claims, 0),
    copied: custody.copies.length,
    reconcileDifferences: product.length,
    flowMs: changes.map(({ startedAt }, index) => flowMs(evidence, index + 1, startedAt)),
  };
}

/** What burned with the only copy is missing in both sites, as the command said. */
function withoutGone(judgement: Judgement, gone: ReadonlySet<string>): Judgement {
  const concerns = (finding: string): boolean =>
    /^zrh-[12]\//.test(finding) && gone.has(/^zrh-[12]\/([0-9a-f]{64}) /.exec(finding)?.[1] ?? '');
  return {
    ...judgement,
    lost: judgement.lost.filter((finding) => !concerns(finding)),
    other: judgement.other.filter((finding) => !concerns(finding)),
  };
}

/** Until the first sample that was stored under the new arbiter. */
function flowMs({ auditPartitions }: ClusterEvidence, number: number, startedAt: number): number {
  const times = auditPartitions
    .filter(({ event: { outcome, data } }) => outcome === 'stored' && data['arbiter'] === number)
    .map(({ appendedAt }) => appendedAt);
  return Math.min(...times) - startedAt;
}

/** What the product's own `audit fsck` and `reconcile --open` find. */
async function productFindings(
  deployment: Deployment,
  gone: ReadonlySet<string>,
): Promise<readonly string[]> {
  const auditor = new Supervised(() => deployment.launch('auditor'));
  const findings: string[] = [];
  try {
    const until = performance.now() + LEDGER_WITHIN_MS;
    for (;;) {
      const { code, stdout, stderr } = await deployment.residency('audit', 'fsck', '--json');
      if (code === 0) break;
      if (performance.now() > until) {
        findings.push(`audit fsck ended with ${String(code)}: ${stdout}${stderr}`);
        break;
      }
      await sleep(AGAIN_AFTER_MS);
    }
    findings.push(...(await reconciled(deployment, gone)));
  } finally {
    await auditor.stop();
  }
  return findings;
}

/** Differences about samples that were given up are right. */
async function reconciled(
  deployment: Deployment,
  gone: ReadonlySet<string>,
): Promise<readonly string[]> {
  const { code, stdout, stderr } = await deployment.residency(
    'reconcile',
    '--open',
    '--allow-also-in',
    '--json',
  );
  if (code === 0) return [];
  const lines = stdout.trimEnd().split('\n');
  const summary = JSON.parse(lines.at(-1) || '{}') as { readonly differences?: number };
  const differences = lines.slice(0, -1).filter((line) => !line.includes('"ALSO_IN"'));
  const others = differences.filter((line) => ![...gone].some((one) => line.includes(one)));
  if (code === 1 && others.length === 0 && summary.differences === differences.length) return [];
  return [
    `reconcile ended with ${String(code)}: ${others.slice(0, 5).join('\n')}\n${lines.at(-1)}\n${stderr.slice(-2_000)}`,
  ];
}

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { METRICS } from '@residency/telemetry';
import type { MetricName } from '@residency/telemetry';
import { describe, expect, test } from 'vitest';
import { exists, files, text } from '../architecture/tree.ts';
import { alerts, asked, cluster, dashboards, recordings, standalone } from './deployed.ts';
import type { AlertRule, UnitTests } from './deployed.ts';
import { neededBy, withNeededRules } from './needed-rules.ts';
import { namedIn } from './promql.ts';
import { promtool } from './promtool.ts';

const CLUSTER = [
  'ResidencyAccessesFail',
  'ResidencyAccessesRefused',
  'ResidencyAuditBroken',
  'ResidencyCheckpointStale',
  'ResidencyClockWrong',
  'ResidencyCopiesOwed',
  'ResidencyCustodianBehind',
  'ResidencyErasedButPresent',
  'ResidencyErasureWaiting',
  'ResidencyExporterBlind',
  'ResidencyLogReplaced',
  'ResidencyLogUndecided',
  'ResidencyNoProgress',
  'ResidencyOutcomeSlow',
  'ResidencyPaused',
  'ResidencyProgressLost',
  'ResidencyQuarantineExpiring',
  'ResidencyQuarantineGrowing',
  'ResidencyReconciliationStale',
  'ResidencyRecordBlocked',
  'ResidencyRepairIncomplete',
  'ResidencySampleLost',
  'ResidencyServiceDown',
  'ResidencySiteOut',
  'ResidencySiteUnwritable',
  'ResidencySitesDisagree',
  'ResidencyViewStale',
  'ResidencyViolation',
];
const STANDALONE = [
  'ResidencyAccessesFail',
  'ResidencyAccessesRefused',
  'ResidencyAuditBroken',
  'ResidencyCheckpointStale',
  'ResidencyClockWrong',
  'ResidencyCopiesOwed',
  'ResidencyCustodianBehind',
  'ResidencyErasureWaiting',
  'ResidencyNoProgress',
  'ResidencyOutcomeSlow',
  'ResidencyPaused',
  'ResidencyQuarantineGrowing',
  'ResidencyRecordBlocked',
  'ResidencyRepairIncomplete',
  'ResidencySampleLost',
  'ResidencyServiceDown',
  'ResidencySiteOut',
  'ResidencySiteUnwritable',
  'ResidencySitesDisagree',
  'ResidencyViolation',
];

/** Each kind of deployment, with the names of its alerts. */
describe.each([
  { of: 'a cluster', names: CLUSTER, ...cluster },
  { of: 'one process', names: STANDALONE, ...standalone },
])('$of', ({ names, folder, ruleFiles, testFiles, groups, alerts, unitTests, dashboards }) => {
  const rulesNamed = alerts.map((rule) => ({
    rule,
    name: `${rule.alert} ${Object.values(rule.labels).join(' ')}`,
  }));

  describe('promtool', () => {
    test('accepts the configuration, with every rule file', async () => {
      expect(await promtool('check', 'config', `${folder}/prometheus.yml`)).toContain(
        `${ruleFiles.length} rule files found`,
      );
    });

    test('accepts the rules, none of them twice', async () => {
      expect(
        await promtool('check', 'rules', '--lint=all', '--lint-fatal', ...ruleFiles),
      ).toContain(`${alerts.length} rules found`);
    });

    // Up to seven hours are simulated, minute by minute.
    test.each(testFiles)('confirms %s', async (file) => {
      await withNeededRules(file, ruleFiles, async (copy) => {
        expect(await promtool('test', 'rules', copy)).toContain('SUCCESS');
      });
    });

    test('accepts every expression of a dashboard', async () => {
      const expressions = dashboards.flatMap(({ panels }) =>
        panels.flatMap(({ targets }) => targets.map(({ expr }) => asked(expr))),
      );
      const folder = await mkdtemp(join(tmpdir(), 'residency-dashboards-'));
      try {
        const rules = expressions.map((expr, index) => ({ record: `panel:${index}`, expr }));
        const file = join(folder, 'panels.yml');
        await writeFile(file, JSON.stringify({ groups: [{ name: 'panels', rules }] }));
        expect(await promtool('check', 'rules', file)).toContain(
          `${expressions.length} rules found`,
        );
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  });

  describe('alerts', () => {
    test('are exactly the listed ones', () => {
      expect([...new Set(alerts.map(({ alert }) => alert))].toSorted()).toEqual(names);
    });

    test.each(rulesNamed)(
      '$name has a severity, a summary and an instruction',
      ({ rule: { alert, labels, annotations } }) => {
        expect(['page', 'ticket']).toContain(labels['severity']);
        expect(Object.keys(annotations).toSorted()).toEqual([
          'description',
          'runbook_url',
          'summary',
        ]);
        expect(annotations['runbook_url']).toBe(`docs/runbooks/${alert}.md`);
        expect(exists(`docs/runbooks/${alert}.md`)).toBe(true);
      },
    );

    test.each(rulesNamed)('$name fires in a unit test', ({ rule }) => {
      expect(firing(unitTests, rule)).not.toEqual([]);
    });

    test.each(names)('%s does not fire at any moment of a harmless course', (alert) => {
      expect(silent(unitTests, alert)).not.toEqual([]);
    });

    test('a unit test reads its alert, what that builds on, and no rule that neither names', () => {
      const [alert, build, ground, other] = [
        { alert: 'ResidencyA', expr: 'level:b > 1' },
        { record: 'level:b', expr: 'sum(level:c)' },
        { record: 'level:c', expr: 'up' },
        { alert: 'ResidencyOther', expr: 'up == 0' },
      ];
      expect([...neededBy('alertname: ResidencyA', [alert, build, ground, other])]).toEqual([
        alert,
        build,
        ground,
      ]);
    });

    test('a rule that no unit test expects is found', () => {
      const rule: AlertRule = {
        alert: 'ResidencyViolation',
        expr: '',
        labels: { severity: 'ticket' },
        annotations: {},
      };
      expect(firing(unitTests, rule)).toEqual([]);
      expect(silent(unitTests, 'ResidencyOther')).toEqual([]);
    });

    test('each has one file of unit tests, which loads the rules in the order of their dependencies', () => {
      expect(testFiles).toEqual(names.map((alert) => `${folder}/tests/${alert}.test.yml`));
      for (const { group_eval_order: order } of unitTests) {
        expect(order.toSorted()).toEqual(groups.map(({ name }) => name).toSorted());
        expect(order.slice(0, 2)).toEqual([
          'residency-recorded-objective',
          'residency-recorded-flow',
        ]);
      }
    });

    test('no expression is a YAML alias: Prometheus would take its name for the expression', () => {
      for (const file of ruleFiles)
        expect(text(file)).not.toMatch(/^[ -]*(?:expr|alert|record): *[*]/m);
    });
  });
});

/**
 * The unit tests that expect exactly this rule to fire. Its labels distinguish it from others of
 * its name.
 */
function firing(all: readonly UnitTests[], { alert, labels }: AlertRule): string[] {
  const own = Object.entries(labels);
  return all.flatMap(({ tests }) =>
    tests
      .filter(({ alert_rule_test: asserted = [] }) =>
        asserted.some(
          ({ alertname, exp_alerts: expected }) =>
            alertname === alert &&
            expected.some(({ exp_labels: found }) =>
              own.every(([name, value]) => found[name] === value),
            ),
        ),
      )
      .map(({ name }) => name),
  );
}

/** The unit tests that expect it never to fire, from beginning to end. */
function silent(all: readonly UnitTests[], alert: string): string[] {
  const never = `count_over_time(ALERTS{alertname="${alert}", alertstate="firing"}[`;
  return all.flatMap(({ tests }) =>
    tests
      .filter(({ promql_expr_test: asked = [] }) =>
        asked.some(
          ({ expr, exp_samples: samples }) => expr.startsWith(never) && samples.length === 0,
        ),
      )
      .map(({ name }) => name),
  );
}

test('every recording rule is used by an alert, a dashboard or another rule', () => {
  const used = [...alerts, ...recordings]
    .map(({ expr }) => expr)
    .concat(
      dashboards.flatMap(({ panels }) =>
        panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
      ),
    )
    .join('\n');
  expect(
    recordings
      .filter(({ record }) => !new RegExp(String.raw`(?<![\w:])${record}(?![\w:])`).test(used))
      .map(({ record }) => record),
  ).toEqual([]);
});

test.each([cluster, standalone])(
  'the folders of rules, unit tests and dashboards of $folder hold nothing else',
  ({ folder, ruleFiles, testFiles, dashboards: own }) => {
    const known = [...ruleFiles, ...testFiles, ...own.map(({ file }) => file)];
    expect(
      files(`${folder}/{rules,tests,dashboards}/*`).filter((file) => !known.includes(file)),
    ).toEqual([]);
  },
);

describe('one process', () => {
  test('has every metric that its rules and its dashboard ask for', () => {
    const asks = [
      ...standalone.alerts.map(({ expr }) => expr),
      ...standalone.dashboards.flatMap(({ panels }) =>
        panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
      ),
    ];
    const names = new Set(
      asks.flatMap((expr) =>
        namedIn(expr.replaceAll(/\$\w+/g, 'a')).metrics.map(({ name }) =>
          name.replace(/_(?:bucket|sum|count)$/, ''),
        ),
      ),
    );
    const missing = [...names].filter(
      (name) =>
        Object.hasOwn(METRICS, name) &&
        !(METRICS[name as MetricName].by as readonly string[]).includes('standalone'),
    );
    expect(missing).toEqual([]);
    expect([...names].filter((name) => Object.hasOwn(METRICS, name)).length).toBeGreaterThan(10);
  });

  test('has the same alerts as a cluster for the metrics that both have', () => {
    const of = (rules: typeof alerts, name: string) => rules.filter(({ alert }) => alert === name);
    for (const name of [
      'ResidencyAuditBroken',
      'ResidencyOutcomeSlow',
      'ResidencyPaused',
      'ResidencyRecordBlocked',
      'ResidencySitesDisagree',
    ]) {
      expect(of(standalone.alerts, name)).toEqual(of(cluster.alerts, name));
      expect(of(standalone.alerts, name)).not.toEqual([]);
    }
  });
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exists, files, text } from '../architecture/tree.ts';
import {
  FOLDER,
  alerts,
  asked,
  dashboards,
  groups,
  recordings,
  ruleFiles,
  testFiles,
  unitTests,
} from './deployed.ts';
import type { AlertRule, UnitTests } from './deployed.ts';
import { promtool } from './promtool.ts';

/** What an operator may be told. */
const ALERTS = [
  'ResidencyAuditBroken',
  'ResidencyCheckpointStale',
  'ResidencyExporterBlind',
  'ResidencyNoProgress',
  'ResidencyOutcomeSlow',
  'ResidencyPaused',
  'ResidencyProgressLost',
  'ResidencyQuarantineExpiring',
  'ResidencyQuarantineGrowing',
  'ResidencyReconciliationStale',
  'ResidencyServiceDown',
  'ResidencySiteUnwritable',
  'ResidencyViewStale',
  'ResidencyViolation',
];

const rulesNamed = alerts.map((rule) => ({
  rule,
  name: `${rule.alert} ${Object.values(rule.labels).join(' ')}`,
}));

describe('promtool', () => {
  test('takes the configuration, with every rule file', async () => {
    expect(await promtool('check', 'config', `${FOLDER}/prometheus.yml`)).toContain(
      `${ruleFiles.length} rule files found`,
    );
  });

  test('takes the rules, none twice', async () => {
    expect(await promtool('check', 'rules', '--lint=all', '--lint-fatal', ...ruleFiles)).toContain(
      `${alerts.length} rules found`,
    );
  });

  // Up to seven hours are played through, every rule each minute.
  test.each(testFiles)('sees %s hold', { timeout: 240_000 }, async (file) => {
    expect(await promtool('test', 'rules', file)).toContain('SUCCESS');
  });

  test('takes every expression of a dashboard', async () => {
    const expressions = dashboards.flatMap(({ panels }) =>
      panels.flatMap(({ targets }) => targets.map(({ expr }) => asked(expr))),
    );
    const folder = await mkdtemp(join(tmpdir(), 'residency-dashboards-'));
    try {
      const rules = expressions.map((expr, index) => ({ record: `panel:${index}`, expr }));
      const file = join(folder, 'panels.yml');
      await writeFile(file, JSON.stringify({ groups: [{ name: 'panels', rules }] }));
      expect(await promtool('check', 'rules', file)).toContain(`${expressions.length} rules found`);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('alerts', () => {
  test('are those that were agreed on', () => {
    expect([...new Set(alerts.map(({ alert }) => alert))].toSorted()).toEqual(ALERTS);
  });

  test.each(rulesNamed)(
    '$name says how urgent it is, what happened and what to do',
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

  test.each(rulesNamed)('$name is seen to fire', ({ rule }) => {
    expect(firing(unitTests, rule)).not.toEqual([]);
  });

  test.each(ALERTS)('%s is seen not to fire, at no moment of what is harmless', (alert) => {
    expect(silent(unitTests, alert)).not.toEqual([]);
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

  test('each has one file of unit tests, which reads the rules in the order they depend on one another', () => {
    expect(testFiles).toEqual(ALERTS.map((alert) => `${FOLDER}/tests/${alert}.test.yml`));
    for (const { group_eval_order: order } of unitTests) {
      expect(order.toSorted()).toEqual(groups.map(({ name }) => name).toSorted());
      expect(order.slice(0, 2)).toEqual([
        'residency-recorded-objective',
        'residency-recorded-flow',
      ]);
    }
  });

  test('Prometheus reads no expression that is an alias: it would take its name for one', () => {
    for (const file of ruleFiles)
      expect(text(file)).not.toMatch(/^[ -]*(?:expr|alert|record): *[*]/m);
  });
});

/** The unit tests that expect this very rule to fire: its own labels tell it from others of its name. */
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

/** The unit tests that expect it never to have fired, from their beginning to their end. */
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

test('every recording rule is used, by an alert, a dashboard or another', () => {
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

test('nothing else stands in the folder of rules, unit tests and dashboards', () => {
  expect(
    files(`${FOLDER}/{rules,tests,dashboards}/*`).filter(
      (file) => ![...ruleFiles, ...testFiles, ...dashboards.map((one) => one.file)].includes(file),
    ),
  ).toEqual([]);
});

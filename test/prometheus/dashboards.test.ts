import { describe, expect, test } from 'vitest';
import { dashboards } from './deployed.ts';
import { namedIn } from './promql.ts';

const panels = dashboards.flatMap((dashboard) =>
  dashboard.panels.map((panel) => ({
    dashboard,
    panel,
    where: `${dashboard.title} / ${panel.title}`,
  })),
);

test('there are four for a cluster and one for one process, each with a stable unique id for links', () => {
  expect(dashboards.map(({ file }) => file.split('/').at(-1))).toEqual([
    'compliance.json',
    'custody.json',
    'flow-overview.json',
    'region.json',
    'standalone.json',
  ]);
  expect(new Set(dashboards.map(({ uid }) => uid)).size).toBe(5);
});

describe.each(dashboards)('$title', ({ panels: all, templating, schemaVersion }) => {
  test('is a screen or two of panels, for Grafana 11 and later', () => {
    expect(schemaVersion).toBeGreaterThanOrEqual(39);
    expect(all.length).toBeGreaterThanOrEqual(6);
    expect(all.length).toBeLessThanOrEqual(12);
  });

  test('queries the Prometheus that is chosen', () => {
    expect(templating.list[0]).toMatchObject({
      name: 'datasource',
      type: 'datasource',
      query: 'prometheus',
    });
    for (const { datasource } of all)
      expect(datasource).toEqual({ type: 'prometheus', uid: '${datasource}' });
  });

  test('uses all of its variables, and no other', () => {
    const used = new Set(
      [...JSON.stringify([all, templating]).matchAll(/\$\{?(?!__)(\w+)\}?/g)].map(
        ([, name = '']) => name,
      ),
    );
    expect([...used].toSorted()).toEqual(templating.list.map(({ name }) => name).toSorted());
  });

  test('has no overlapping panels', () => {
    const cells = all.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(Math.max(...all.map(({ gridPos: { x, w } }) => x + w))).toBe(24);
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  });
});

test.each(panels)(
  '$where has a description, a unit, and a name for each series',
  ({
    panel: {
      description = '',
      fieldConfig: { defaults },
      targets,
    },
  }) => {
    expect(description).toMatch(/\.$/);
    expect(['none', 'short', 's', 'ops', 'reqps', 'Bps', 'percentunit']).toContain(defaults.unit);
    expect(targets.length).toBeGreaterThan(0);
    for (const { expr, legendFormat } of targets) {
      const shown = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
      const { labels, metrics } = namedIn(expr.replaceAll(/\$\w+/g, 'a'));
      const left = new Set([
        ...labels.filter((label) => label !== 'le'),
        ...metrics.flatMap(({ name }) =>
          name.includes(':') ? (name.split(':')[0]?.split('_') ?? []) : [],
        ),
      ]);
      left.delete('deployment');
      for (const { matchers } of metrics)
        for (const { label, operator } of matchers) if (operator === '=') left.delete(label);
      expect(shown.toSorted()).toEqual([...left].toSorted());
    }
  },
);

test('a number that can be wrong is coloured if it is', () => {
  const coloured = panels
    .filter(({ panel }) => panel.fieldConfig.defaults.thresholds !== undefined)
    .map(({ dashboard }) => dashboard.uid);
  for (const { uid } of dashboards)
    expect(coloured.filter((one) => one === uid).length).toBeGreaterThanOrEqual(4);
});

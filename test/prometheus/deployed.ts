import { parse } from 'yaml';
import { files, text } from '../architecture/tree.ts';

export const FOLDER = 'deploy/prometheus';

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
}

interface Groups {
  readonly groups: readonly {
    readonly name: string;
    readonly rules: readonly (AlertRule | RecordingRule)[];
  }[];
}

export interface UnitTest {
  readonly name: string;
  readonly alert_rule_test?: readonly {
    readonly alertname: string;
    readonly exp_alerts: readonly { readonly exp_labels: Readonly<Record<string, string>> }[];
  }[];
  readonly promql_expr_test?: readonly {
    readonly expr: string;
    readonly exp_samples: readonly unknown[];
  }[];
}

export interface UnitTests {
  readonly group_eval_order: readonly string[];
  readonly tests: readonly UnitTest[];
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource: unknown;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly fieldConfig: {
    readonly defaults: { readonly unit?: string; readonly thresholds?: object };
  };
  readonly targets: readonly {
    readonly refId: string;
    readonly expr: string;
    readonly legendFormat: string;
  }[];
}

export interface Dashboard {
  readonly file: string;
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly templating: {
    readonly list: readonly {
      readonly name: string;
      readonly type: string;
      readonly query: string | { readonly query: string };
    }[];
  };
  readonly panels: readonly Panel[];
}

/** The files that one kind of deployment loads: rules, their unit tests and dashboards. */
export interface Deployed {
  readonly folder: string;
  readonly ruleFiles: readonly string[];
  readonly testFiles: readonly string[];
  readonly groups: Groups['groups'];
  readonly alerts: readonly AlertRule[];
  readonly unitTests: readonly (UnitTests & { readonly file: string })[];
  readonly dashboards: readonly Dashboard[];
}

const RECORDINGS = `${FOLDER}/rules/recording.yml`;

/** Both kinds share the recording rules. */
function deployed(folder: string): Deployed {
  const ruleFiles = [...new Set([...files(`${folder}/rules/*.yml`), RECORDINGS])];
  const testFiles = files(`${folder}/tests/*.test.yml`);
  const groups = ruleFiles.flatMap((path) => (parse(text(path)) as Groups).groups);
  return {
    folder,
    ruleFiles,
    testFiles,
    groups,
    alerts: groups.flatMap(({ rules }) => rules).filter((rule) => 'alert' in rule),
    unitTests: testFiles.map((file) => ({ file, ...(parse(text(file)) as UnitTests) })),
    dashboards: files(`${folder}/dashboards/*.json`).map((file) => ({
      ...(JSON.parse(text(file)) as Dashboard),
      file,
    })),
  };
}

export const cluster = deployed(FOLDER);
export const standalone = deployed(`${FOLDER}/standalone`);

export const recordings: readonly RecordingRule[] = (parse(text(RECORDINGS)) as Groups).groups
  .flatMap(({ rules }) => rules)
  .filter((rule) => 'record' in rule);
/** Of both kinds. */
export const alerts: readonly AlertRule[] = [...cluster.alerts, ...standalone.alerts];
export const dashboards: readonly Dashboard[] = [...cluster.dashboards, ...standalone.dashboards];

/** A panel's expression with its variables replaced. */
export function asked(expression: string): string {
  return expression
    .replaceAll('$__rate_interval', '1m')
    .replaceAll('$__range', '3h')
    .replaceAll(/\$(region|site)\b/g, 'a');
}

/** The expressions in an annotation's template. */
export function queriesIn(template: string): string[] {
  return [...template.matchAll(/\bquery "([^"]*)"/g)].map(([, query = '']) => query);
}

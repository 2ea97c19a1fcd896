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

export const ruleFiles: readonly string[] = files(`${FOLDER}/rules/*.yml`);
export const testFiles: readonly string[] = files(`${FOLDER}/tests/*.test.yml`);

export const groups: Groups['groups'] = ruleFiles.flatMap(
  (path) => (parse(text(path)) as Groups).groups,
);
const rules = groups.flatMap((group) => group.rules);
export const alerts: readonly AlertRule[] = rules.filter((rule) => 'alert' in rule);
export const recordings: readonly RecordingRule[] = rules.filter((rule) => 'record' in rule);

export const unitTests: readonly (UnitTests & { readonly file: string })[] = testFiles.map(
  (file) => ({ file, ...(parse(text(file)) as UnitTests) }),
);

export const dashboards: readonly Dashboard[] = files(`${FOLDER}/dashboards/*.json`).map(
  (file) => ({ ...(JSON.parse(text(file)) as Dashboard), file }),
);

/** A panel's expression as Prometheus is asked it, whatever is chosen. */
export function asked(expression: string): string {
  return expression
    .replaceAll('$__rate_interval', '1m')
    .replaceAll('$__range', '3h')
    .replaceAll(/\$(region|site)\b/g, 'a');
}

/** Expressions in an annotation's template. */
export function queriesIn(template: string): string[] {
  return [...template.matchAll(/\bquery "([^"]*)"/g)].map(([, query = '']) => query);
}

import { describe, expect, test } from 'vitest';
import { namedIn } from './promql.ts';

describe('the names in an expression', () => {
  test.each([
    ['up', ['up'], []],
    [
      'sum by (region) (rate(residency_a_bucket{le=~"60|60[.]0", region!=""}[5m]))',
      ['residency_a_bucket'],
      ['region'],
    ],
    ['sum(rate(a[5m])) by (b, c)', ['a'], ['b', 'c']],
    ['a - on (x, y) group_left (z) b', ['a', 'b'], ['x', 'y', 'z']],
    ['a / ignoring (x) group_right b', ['a', 'b'], ['x']],
    [
      'level:metric:ratio_rate5m > 14.4 * 0.001 and other:metric:sum >= 1e3',
      ['level:metric:ratio_rate5m', 'other:metric:sum'],
      [],
    ],
    ['a unless a offset 15m # unless b\n OR 0 * c', ['a', 'a', 'c'], []],
    ['max_over_time(rate(a[1m])[30m:1m]) > bool Inf', ['a'], []],
    [
      'histogram_quantile(0.99, sum by (le) (rate(a_bucket[$__rate_interval])))',
      ['a_bucket'],
      ['le'],
    ],
    ['{job="x", __name__=~"y.+"}', [''], []],
    ["time() - a{b='c', d=`e`,}", ['a'], []],
    ['count(a) without (by)', ['a'], ['by']],
    ['avg_over_time(a[5m] @ 1609746000)', ['a'], []],
  ])('%s', (expression, metrics, labels) => {
    const named = namedIn(expression);
    expect(named.metrics.map(({ name }) => name)).toEqual(metrics);
    expect(named.labels).toEqual(labels);
  });

  test('matchers, with their strings unescaped', () => {
    const expected = [
      { label: 'a', operator: '=', value: 'b"c' },
      { label: 'd', operator: '!~', value: String.raw`e\.f` },
      { label: 'g', operator: '=~', value: 'h}' },
    ];
    expect(namedIn(String.raw`m{a="b\"c", d!~'e\\.f', g=~"h}"} > 0`).metrics).toEqual([
      { name: 'm', matchers: expected },
    ]);
  });

  test('the labels that label_replace sets and reads', () => {
    expect(
      namedIn('label_replace(label_replace(a{x="y"}, "b", "$1", "c", "(.+)"), "d", "e", "", "")'),
    ).toMatchObject({ made: ['b', 'd'], read: ['c'] });
  });

  test('invalid PromQL is refused', () => {
    expect(() => namedIn('sum(a) ? 1')).toThrow('found "? 1"');
    expect(() => namedIn('a{b="c}')).toThrow(SyntaxError);
  });
});

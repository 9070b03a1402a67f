import { describe, expect, test } from 'vitest';
import { crossing, matrixOf, placeName, routeHealth, routesOf } from '../../../web/pages/regions/matrix.ts';
import { fakeRegionRoutes } from '../fake-api/fake-calls.ts';
import { FAKE_MESH } from '../fake-api/fake-services.ts';

const RANGE = { from: 1_763_700_000_000, to: 1_763_700_300_000, window: '5m', offsetMs: 0 };
const ANSWER = fakeRegionRoutes(FAKE_MESH, RANGE);

describe('the matrix', () => {
  test('has the same order on both sides, what is not known last', () => {
    const { from, to, routeBetween } = matrixOf(routesOf(ANSWER, false));
    const names = ['ap-south-1', 'eu-west-1', 'us-east-1', 'not known'];
    expect(from.map(placeName)).toEqual(names);
    expect(to.map(placeName)).toEqual(names);
    const [south, west] = from;
    expect(south && west && routeBetween(south, west)?.share).toBe(0.03);
    expect(south && west && routeBetween(west, south)).toBeUndefined();
  });

  test('zones are told with their regions', () =>
    expect(matrixOf(routesOf(ANSWER, true)).from.map(placeName)).toContain('eu-west-1 / 1a'));

  test.each([
    ['eu-west-1', 'eu-west-1a', 'eu-west-1a'],
    ['eu-west-1', '', 'eu-west-1'],
    ['', 'a', 'a'],
    ['', '', 'not known'],
  ])('a place of region "%s", zone "%s" is called %s', (region, zone, name) =>
    expect(placeName({ key: region + zone, region, zone })).toBe(name),
  );

  test('what crosses, what stays and what is not known is all there is', () => {
    const { within, across, unknown } = crossing(routesOf(ANSWER, false));
    expect(within).toBeCloseTo(0.79, 2);
    expect(across).toBeCloseTo(0.13, 2);
    expect(unknown).toBeCloseTo(0.08, 2);
    expect(crossing([])).toMatchObject({ requests: 0, within: null, across: null, unknown: null });
  });

  test.each([
    [{ requests: 0, errorRate: null, state: 'no_traffic' }, 'quiet'],
    [{ requests: 10, errorRate: null, state: 'ok' }, 'unknown'],
    [{ requests: null, errorRate: null, state: 'no_data' }, 'unknown'],
    [{ requests: 1000, errorRate: 0.02, state: 'ok' }, 'bad'],
    [{ requests: 10, errorRate: 0.1, state: 'ok' }, 'warn'],
    [{ requests: 10, errorRate: 0, state: 'ok' }, 'good'],
  ] as const)('%o is %s', (route, health) => expect(routeHealth(route)).toBe(health));
});

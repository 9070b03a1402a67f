import { expect, test } from 'vitest';
import { ZoneRegions } from '../../server/live/zones.ts';
import { goodScrape } from '../store/records.ts';
import { liveWith } from './live-targets.ts';

const at = (index: number, region: string, zone: string) =>
  goodScrape({ target: `10.0.0.${index}:9901`, from: 0, to: 1000, identity: { region, zone } });

test.each([
  ['eu-1', 'eu'],
  ['us-1', 'us'],
  ['a', undefined],
  ['lonely', undefined],
  ['', undefined],
  ['nowhere', undefined],
])('zone %j is in region %j', (zone, region) => {
  const records = [
    at(1, 'eu', 'eu-1'),
    at(2, 'eu', 'eu-1'),
    at(3, 'us', 'us-1'),
    at(4, 'eu', 'a'),
    at(5, 'us', 'a'),
    at(6, '', 'lonely'),
    at(7, 'eu', ''),
  ];
  expect(new ZoneRegions(liveWith(records).all()).regionOf(zone)).toBe(region);
});

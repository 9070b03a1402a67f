import type { BadFile } from '../bad-files.ts';

export const SCRAPE: readonly BadFile[] = [
  {
    name: 'a duration of words',
    yaml: 'scrape:\n  interval: 15 seconds\n',
    errors: ['2: scrape.interval: "15 seconds" is not a duration; write 500ms, 15s, 1m30s, 2d or 1w'],
  },
  {
    name: 'a duration without a unit',
    yaml: 'scrape: { interval: 15 }\n',
    errors: ['1: scrape.interval: 15 has no unit; write 15s for seconds, or 15m'],
  },
  {
    name: 'a duration that is a list',
    yaml: 'scrape: { interval: [15s] }\n',
    errors: ['1: scrape.interval: expected a duration, found a list; write 500ms, 15s, 1m30s, 2d or 1w'],
  },
  {
    name: 'a short interval',
    yaml: 'scrape: { interval: 0s }\n',
    errors: ['1: scrape.interval: 0s is too little; write 100ms or more'],
  },
  {
    name: 'a long interval',
    yaml: 'scrape: { interval: 2d }\n',
    errors: ['1: scrape.interval: 2d is too much; write 1h or less'],
  },
  {
    name: 'a timeout above the interval',
    yaml: 'scrape:\n  timeout: 10s\n  interval: 5s\n',
    errors: ['2: scrape.timeout: 10s is longer than the interval, 5s (on line 3); write at most that'],
  },
  {
    name: 'a timeout above the default interval',
    yaml: 'scrape: { timeout: 20s }\n',
    errors: ['1: scrape.timeout: 20s is longer than the interval, 15s (the default); write at most that'],
  },
  {
    name: 'a decimal size',
    yaml: 'scrape: { body_limit: 32MB }\n',
    errors: ['1: scrape.body_limit: "32MB" is not a size; write 32MiB'],
  },
  {
    name: 'a size of words',
    yaml: 'scrape: { body_limit: large }\n',
    errors: ['1: scrape.body_limit: "large" is not a size; write 16MiB, 10GiB or plain bytes'],
  },
  {
    name: 'a fraction of bytes',
    yaml: 'scrape: { body_limit: 1.5 }\n',
    errors: ['1: scrape.body_limit: expected a size, found the number 1.5; write 16MiB, 10GiB or plain bytes'],
  },
  {
    name: 'a small size',
    yaml: 'scrape: { body_limit: 1 }\n',
    errors: ['1: scrape.body_limit: 1B is too little; write 1KiB or more'],
  },
  {
    name: 'a negative count',
    yaml: 'scrape: { concurrency: -1 }\n',
    errors: ['1: scrape.concurrency: -1 is out of range; write a whole number from 1 to 10000'],
  },
  {
    name: 'a fraction',
    yaml: 'scrape: { series_limit: 1.5 }\n',
    errors: ['1: scrape.series_limit: 1.5 is out of range; write a whole number from 1 to 10000000'],
  },
  {
    name: 'turns below never',
    yaml: 'scrape: { clusters_every: -1 }\n',
    errors: ['1: scrape.clusters_every: -1 is out of range; write a whole number from 0 to 10000'],
  },
  {
    name: 'turns as a duration',
    yaml: 'scrape: { clusters_every: 75s }\n',
    errors: ['1: scrape.clusters_every: expected a whole number from 0 to 10000, found the text "75s"'],
  },
  {
    name: 'not a number',
    yaml: 'scrape: { series_limit: .nan }\n',
    errors: ['1: scrape.series_limit: NaN is out of range; write a whole number from 1 to 10000000'],
  },
  {
    name: 'a count in quotes',
    yaml: 'scrape: { series_limit: "10" }\n',
    errors: ['1: scrape.series_limit: expected a whole number from 1 to 10000000, found the text "10"'],
  },
  {
    name: 'a switch',
    yaml: 'scrape: { slow_down: yes }\n',
    errors: ['1: scrape.slow_down: expected true or false, found the text "yes"'],
  },
];

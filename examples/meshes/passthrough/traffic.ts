import type { MeshTraffic } from '../../../server/demo/mesh.ts';
import type { LedgerOptions } from '../ledger.ts';
import { lognormal, type Random } from '../random.ts';
import { type Entry, type EntryRequest, type Kind, sendKinds } from '../sender.ts';

/** Where the bot's requests enter: the egress listener of vote-bot.yaml. */
export const frontPort = 18433;
export const entries: Readonly<Record<string, Entry>> = {
  bot: { protocol: 'http', port: frontPort, host: 'web.localhost', hostPort: 18400, from: 'vote-bot' },
};
export const ledgerOptions: LedgerOptions = { callers: ['web', 'emoji', 'voting', 'vote-bot'] };

const toWeb = { entry: 'bot', to: 'web' };
const delayOf = (random: Random, medianMs: number) => lognormal(random, { medianMs, spread: 0.6 });
const vote = (random: Random, method: string): EntryRequest => ({
  ...toWeb,
  path: '/api/vote',
  calls: [
    { to: 'emoji', path: 'FindByShortcode', delayMs: delayOf(random, 3) },
    { to: 'voting', path: method, delayMs: delayOf(random, 7) },
  ],
});

const likedEmoji = ['Joy', 'Rocket', 'Tada', 'Poop', 'GuardsMan'];

/** About 17 requests of the bot per second in all; a vote for a doughnut always fails. */
export const kinds: readonly Kind[] = [
  {
    name: 'vote',
    perSecond: 9,
    plan: (random) => vote(random, `Vote${likedEmoji[Math.floor(random() * likedEmoji.length)]}`),
  },
  { name: 'vote for a doughnut', perSecond: 1, plan: (random) => vote(random, 'VoteDoughnut') },
  {
    name: 'list',
    perSecond: 4,
    plan: (random) => ({
      ...toWeb,
      path: '/api/list',
      calls: [{ to: 'emoji', path: 'ListAll', delayMs: delayOf(random, 5) }],
    }),
  },
  {
    name: 'leaderboard',
    perSecond: 2,
    plan: (random) => ({
      ...toWeb,
      path: '/api/leaderboard',
      calls: [{ to: 'voting', path: 'Results', delayMs: delayOf(random, 15) }],
    }),
  },
  { name: 'no such page', perSecond: 0.5, plan: () => ({ ...toWeb, path: '/nowhere', status: 404 }) },
];

export const startTraffic: MeshTraffic['startTraffic'] = async ({ portOffset }) =>
  sendKinds(kinds, { entries, portOffset });

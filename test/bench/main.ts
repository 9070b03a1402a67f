/** `npm run bench -- NAME [options]`; without a name it lists what there is. */

interface Benchmark {
  readonly about: string;
  /** False when a goal was missed. */
  run(args: readonly string[]): Promise<boolean>;
}

const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  alerts: {
    about: 'CPU and memory of evaluating many alert rules [--rules=100 --services=1000]',
    run: async (args) => (await import('./alerts.ts')).alertsBenchmark(args),
  },
  dashboards: {
    about:
      'CPU of answering many open dashboards [--dashboards=50 --services=1000 --instances=2 --interval=15 --ticks=8]',
    run: async (args) => (await import('./dashboards.ts')).dashboardsBenchmark(args),
  },
  exporter: {
    about:
      '/metrics of many sidecars: CPU, memory, event loop; prom-client beside it [--sidecars=1000 --peers=10 --runs=5]',
    run: async (args) => (await import('./exporter.ts')).exporterBenchmark(args),
  },
  parse: {
    about: 'CPU of reading, normalising and differencing what an Envoy answers [--rounds=60]',
    run: async (args) => (await import('./parse.ts')).parseBenchmark(args),
  },
  store: {
    about:
      'keeping and asking the history of 1,000 sidecars [--hours=24 --raw-hours=2.2 --services=100 --instances=10 --runs=50 --parts=size,steady,month,history,queries --folder=DIR]',
    run: async (args) => (await import('./store.ts')).storeBenchmark(args),
  },
  discovery: {
    about: 'time of relabelling, and of a reload of 10,000 static targets; then kubernetes',
    run: async () => {
      const met = await (await import('./discovery.ts')).discoveryBenchmark();
      return (await (await import('./kubernetes.ts')).kubernetesBenchmark()) && met;
    },
  },
  kubernetes: {
    about: 'Kubernetes discovery: 10,000 pods listed, 200 changes per second',
    run: async () => (await import('./kubernetes.ts')).kubernetesBenchmark(),
  },
  fleet: {
    about:
      'the whole collector on a simulated fleet [--sidecars=1000 --instances=10 --interval=10 --minutes=2 --warm=60 --asked=60 --beside=prometheus]',
    run: async (args) => (await import('./fleet/fleet.ts')).fleetBenchmark(args),
  },
  harmless: {
    about: "share of a real Envoy's main thread [--clusters=2000 --active=300 --interval=1 --seconds=30]",
    run: async (args) => (await import('./harmless.ts')).harmlessBenchmark(args),
  },
  soak: {
    about:
      'the collector over time, sidecars replaced each minute [--sidecars=1000 --minutes=60 --replaced=10 --interval=10]',
    run: async (args) => (await import('./fleet/soak.ts')).soakBenchmark(args),
  },
  'remote-write': {
    about: 'the queue of a receiver that is out for an hour, and its drain [--sidecars=1000 --rounds=240 --native]',
    run: async (args) => (await import('./remote-write.ts')).remoteWriteBenchmark(args),
  },
  hostile: {
    about: 'ten good sidecars beside everything that no Envoy does: memory, lateness, counts [--minutes=5]',
    run: async (args) => (await import('./hostile.ts')).hostileBenchmark(args),
  },
  scrape: {
    about: 'CPU and memory of scraping many sidecars [--sidecars=1000] [--services=100] [--interval=10] [--seconds=30]',
    run: async (args) => (await import('./scrape.ts')).scrapeBenchmark(args),
  },
};

const [name = '', ...args] = process.argv.slice(2);
const benchmark = Object.hasOwn(BENCHMARKS, name) ? BENCHMARKS[name] : undefined;
if (benchmark) process.exitCode = (await benchmark.run(args)) ? 0 : 1;
else {
  for (const [one, { about }] of Object.entries(BENCHMARKS)) console.log(`${one.padEnd(12)} ${about}`);
  process.exitCode = name === '' ? 0 : 1;
}

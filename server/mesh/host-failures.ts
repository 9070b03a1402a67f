/**
 * gRPC calls that failed, where no stat of gRPC tells: a host's `rq_error` counts them as it counts 5xx, resets and
 * retried tries. What is told is never more than the truth: hosts are read after one scrape and weighed against what
 * their cluster counted up to the next one.
 */
export class HostFailures {
  private readonly clusters = new Map<string, Balance>();

  /** What was counted since the last scrape: a cluster's 5xx and retries, and the calls that may have failed besides. */
  counted(cluster: string, explained: number, answered: number): void {
    const known = this.clusters.get(cluster);
    if (!known) return;
    known.explained += explained;
    known.answered += answered;
    known.latestExplained = explained;
    known.latestAnswered = answered;
  }

  /** Failures that only hosts tell, for clusters that were read after the scrape before this one. */
  take(): ReadonlyMap<string, number> {
    let found: Map<string, number> | undefined;
    for (const [cluster, balance] of this.clusters) {
      if (balance.errors === undefined) continue;
      const failed = Math.min(balance.errors - balance.explained, balance.answered);
      if (failed > 0) found = (found ?? new Map()).set(cluster, failed);
      balance.errors = undefined;
      balance.explained = balance.latestExplained;
      balance.answered = balance.latestAnswered;
    }
    return found ?? NONE;
  }

  /** What a reading of hosts told, after the scrape that was counted last. */
  read(errors: ReadonlyMap<string, number>): void {
    for (const cluster of this.clusters.keys()) if (!errors.has(cluster)) this.clusters.delete(cluster);
    for (const [cluster, count] of errors) {
      const known = this.clusters.get(cluster);
      if (known) known.errors = count;
      else this.clusters.set(cluster, newBalance());
    }
  }

  /** Another process answers: nothing of before is comparable. */
  restart(): void {
    this.clusters.clear();
  }
}

interface Balance {
  /** Of the newest reading, until the scrape after it. */
  errors: number | undefined;
  /** Since the scrape before the reading before. */
  explained: number;
  answered: number;
  /** Of these, since the scrape before. */
  latestExplained: number;
  latestAnswered: number;
}

function newBalance(): Balance {
  return { errors: undefined, explained: 0, answered: 0, latestExplained: 0, latestAnswered: 0 };
}

const NONE: ReadonlyMap<string, number> = new Map();

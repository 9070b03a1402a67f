/** Wrong passwords and tokens that a client may send at once, and how long until it may send one more. */
const BURST = 10;
const REFILL_MS = 6000;
/** Clients that are remembered; the one that failed longest ago is forgotten first. */
const CLIENTS = 10_000;

interface Bucket {
  left: number;
  at: number;
}

/** Slows down those who guess. */
export class FailedLogins {
  private readonly now: () => number;
  private readonly buckets = new Map<string, Bucket>();

  constructor(now: () => number) {
    this.now = now;
  }

  /** Seconds that the client has to wait; 0 when it may try. */
  wait(client: string): number {
    const bucket = this.refilled(client);
    return bucket.left >= 1 ? 0 : Math.ceil(((1 - bucket.left) * REFILL_MS) / 1000);
  }

  /** Counts an attempt before its outcome is known, so that many at once do not get round the limit. */
  attempt(client: string): void {
    const bucket = this.refilled(client);
    bucket.left--;
    this.buckets.delete(client);
    this.buckets.set(client, bucket);
    for (const oldest of this.buckets.keys()) if (this.buckets.size > CLIENTS) this.buckets.delete(oldest);
  }

  /** The attempt was good: it does not count. */
  takeBack(client: string): void {
    const bucket = this.buckets.get(client);
    if (bucket) bucket.left = Math.min(BURST, bucket.left + 1);
  }

  private refilled(client: string): Bucket {
    const now = this.now();
    const { left, at } = this.buckets.get(client) ?? { left: BURST, at: now };
    return { left: Math.min(BURST, left + Math.max(0, now - at) / REFILL_MS), at: now };
  }
}

import { askedFor, FAKE_STATS, type FakeAdmin, healthy, sendText, startFakeAdmin } from '../scrape/fake-admin.ts';

/** An admin port whose service, so told, receives requests as long as it is busy. */
export class CountingAdmin {
  /** What an Envoy counts that is up for a while; Sidelight counts from its first look on. */
  total = 0;
  private first: number | undefined;
  busy = true;
  private admin: FakeAdmin | undefined;

  async start(): Promise<this> {
    this.admin = await startFakeAdmin((request, response) => {
      if (askedFor(request) !== 'stats') return healthy(request, response);
      if (this.busy) this.total += 7;
      this.first ??= this.total;
      sendText(response, FAKE_STATS.replace('rq_2xx: 40', `rq_2xx: ${this.total}`));
    });
    return this;
  }

  get counted(): number {
    return this.total - (this.first ?? 0);
  }

  get text(): string {
    return this.admin?.text ?? '';
  }

  get port(): number {
    return Number(this.text.split(':')[1]);
  }

  async stop(): Promise<void> {
    await this.admin?.stop();
  }
}

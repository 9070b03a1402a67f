/** What must be stopped, however a run ends: the newest first. */
export class Stopping {
  private readonly stops: (() => Promise<unknown>)[] = [];

  add<Part>(part: Part, stop: (part: Part) => Promise<unknown>): Part {
    this.stops.push(() => stop(part));
    return part;
  }

  async all(): Promise<void> {
    for (const stop of this.stops.splice(0).reverse()) await stop();
  }
}

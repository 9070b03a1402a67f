import { copyFile, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export type Region = 'eu' | 'us';

/** Services that can lose all instances in a region, as eds/elsewhere has it. */
export const movable: readonly { region: Region; service: string }[] = [
  { region: 'eu', service: 'catalog' },
  { region: 'us', service: 'stock' },
];

/** Stands for the control plane: changes the endpoint files of a running mesh, each at once as a whole. */
export class ControlPlane {
  readonly #folder: string;
  readonly #home = new Map<string, string>();

  /** @param runFolder where the Envoys run */
  constructor(runFolder: string) {
    this.#folder = join(runFolder, 'eds');
  }

  /** Takes the instances of a movable service out of its region: the other region's front proxy is all that is left. */
  async withdraw(region: Region, service: string): Promise<void> {
    const file = join(`sidecars-${region}`, `${service}.yaml`);
    if (!this.#home.has(file)) this.#home.set(file, await readFile(join(this.#folder, file), 'utf8'));
    await copyFile(join(this.#folder, 'elsewhere', file), this.#draft(file));
    await this.#publish(file);
  }

  /** Puts them back. */
  async restore(region: Region, service: string): Promise<void> {
    const file = join(`sidecars-${region}`, `${service}.yaml`);
    const home = this.#home.get(file);
    if (home === undefined) return;
    await writeFile(this.#draft(file), home);
    await this.#publish(file);
  }

  /** Beside the watched folders, so that Envoy sees nothing before it is complete. */
  #draft(file: string): string {
    return join(this.#folder, file.replaceAll(/[\\/]/g, '-'));
  }

  #publish(file: string): Promise<void> {
    return rename(this.#draft(file), join(this.#folder, file));
  }
}

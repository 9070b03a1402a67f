import manifest from '../../package.json' with { type: 'json' };

/** Version of Sidelight, such as `0.1.0`. */
export const VERSION: string = manifest.version;

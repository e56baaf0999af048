/**
 * What Comfy API v2 keeps, below `DATA/assets`: files by their content, the assets that name them, ids of what jobs saved, and the
 * keys of requests that were answered.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream, existsSync, linkSync, copyFileSync, constants } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import Database from 'better-sqlite3';
import { createBLAKE3 } from 'hash-wasm';
import { makeFolder } from '../../../make-folder.js';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS assets (
    id TEXT PRIMARY KEY, hash TEXT NOT NULL, size INTEGER NOT NULL, content_type TEXT NOT NULL, file_path TEXT, created_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS assets_by_hash ON assets (hash);
  CREATE TABLE IF NOT EXISTS outputs (id TEXT PRIMARY KEY, job TEXT NOT NULL, place TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS uses (asset TEXT NOT NULL, job TEXT NOT NULL, PRIMARY KEY (asset, job)) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS claims (
    key TEXT PRIMARY KEY, digest TEXT NOT NULL, made TEXT NOT NULL, at INTEGER NOT NULL, status INTEGER, answer TEXT
  ) STRICT;
  CREATE INDEX IF NOT EXISTS claims_by_age ON claims (at);
`;
const CLAIM_LIFETIME_MS = 24 * 3_600_000;
/** Ids of outputs that are known to be kept. */
const MAX_REMEMBERED = 10_000;

export interface AssetRecord {
  readonly id: string;
  /** `blake3:<hex>` */
  readonly hash: string;
  readonly size: number;
  readonly content_type: string;
  readonly file_path: string | null;
  /** Unix milliseconds. */
  readonly created_at: number;
}

/** Content that has arrived and has no place yet. */
export interface Arrival {
  readonly path: string;
  readonly hash: string;
  readonly size: number;
}

export interface KeyClaim {
  readonly digest: string;
  /** The id of what the request was to make. */
  readonly made: string;
  /** What was answered; null where no answer was given before the daemon ended. */
  readonly status: number | null;
  readonly answer: string | null;
}

export class Shelf {
  private readonly database: Database.Database;
  private readonly remembered = new Set<string>();

  constructor(private readonly folder: string) {
    makeFolder(join(folder, 'blobs'));
    this.database = new Database(join(folder, 'assets.sqlite'));
    this.database.pragma('journal_mode = WAL');
    this.database.pragma('synchronous = FULL');
    this.database.exec(SCHEMA);
  }

  close(): void {
    this.database.close();
  }

  /** Takes content in, hashing it on its way; `keep` or `discard` is to follow. */
  async receive(content: Readable): Promise<Arrival> {
    const path = join(this.folder, `.arriving-${randomUUID()}`);
    const hasher = await createBLAKE3();
    hasher.init();
    let size = 0;
    const hashing = new Transform({
      transform(chunk: Buffer, _, done) {
        hasher.update(chunk);
        size += chunk.length;
        done(null, chunk);
      },
    });
    try {
      await pipeline(content, hashing, createWriteStream(path, { flush: true }));
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
    return { path, size, hash: `blake3:${hasher.digest('hex')}` };
  }

  /** Gives what arrived its place. Whether it is new. */
  async keep({ path, hash }: Arrival): Promise<boolean> {
    const isNew = !this.has(hash);
    await rename(path, this.blob(hash));
    return isNew;
  }

  discard({ path }: Arrival): Promise<void> {
    return rm(path, { force: true });
  }

  has(hash: string): boolean {
    return existsSync(this.blob(hash));
  }

  blob(hash: string): string {
    return join(this.folder, 'blobs', hash.replace('blake3:', ''));
  }

  add(asset: AssetRecord): void {
    const { id, hash, size, content_type: type, file_path: path, created_at: at } = asset;
    this.database.prepare('INSERT INTO assets VALUES (?, ?, ?, ?, ?, ?)').run(id, hash, size, type, path, at);
  }

  get(id: string): AssetRecord | undefined {
    return this.database.prepare('SELECT * FROM assets WHERE id = ?').get(id) as AssetRecord | undefined;
  }

  /** The assets of this content, the oldest first. */
  named(hash: string): readonly AssetRecord[] {
    const query = this.database.prepare('SELECT * FROM assets WHERE hash = ? ORDER BY created_at, id');
    return query.all(hash) as AssetRecord[];
  }

  /** Its content goes with the last asset that names it, and so does what was laid out of it in `inputs`. */
  async delete({ id, hash }: AssetRecord, inputs: string): Promise<void> {
    this.database.prepare('DELETE FROM assets WHERE id = ?').run(id);
    this.database.prepare('DELETE FROM uses WHERE asset = ?').run(id);
    if (this.named(hash).length > 0) return;
    await rm(this.blob(hash), { force: true });
    await rm(join(inputs, laidOut(hash)), { recursive: true, force: true });
  }

  /** Jobs that were given an asset, and may be over. */
  jobsOf(asset: string): readonly string[] {
    return this.database.prepare('SELECT job FROM uses WHERE asset = ?').pluck().all(asset) as string[];
  }

  noteUse(asset: string, job: string): void {
    this.database.prepare('INSERT OR IGNORE INTO uses VALUES (?, ?)').run(asset, job);
  }

  forgetUse(asset: string, job: string): void {
    this.database.prepare('DELETE FROM uses WHERE asset = ? AND job = ?').run(asset, job);
  }

  /** The id of something that a job saved: the same whenever it is asked for. */
  outputId(job: string, place: string): string {
    const id = uuidOf(`${job}\n${place}`);
    if (!this.remembered.has(id)) {
      this.database.prepare('INSERT OR IGNORE INTO outputs VALUES (?, ?, ?)').run(id, job, place);
      if (this.remembered.size >= MAX_REMEMBERED) this.remembered.clear();
      this.remembered.add(id);
    }
    return id;
  }

  output(id: string): { readonly job: string; readonly place: string } | undefined {
    return this.database.prepare('SELECT job, place FROM outputs WHERE id = ?').get(id) as
      { readonly job: string; readonly place: string } | undefined;
  }

  forgetOutputs(job: string): void {
    this.database.prepare('DELETE FROM outputs WHERE job = ?').run(job);
  }

  /** Lays a file out where workflows find it, and gives the name that they use. */
  layOut(inputs: string, content: string, file: string, name: string): string {
    const place = `${laidOut(content)}/${basename(name)}`;
    const target = join(inputs, place);
    if (!existsSync(target)) {
      makeFolder(dirname(target));
      try {
        linkSync(file, target);
      } catch {
        // Not all file systems have links, and none has them to another.
        copyFileSync(file, target, constants.COPYFILE_FICLONE);
      }
    }
    return place;
  }

  claim(key: string): KeyClaim | undefined {
    this.database.prepare('DELETE FROM claims WHERE at < ?').run(Date.now() - CLAIM_LIFETIME_MS);
    return this.database.prepare('SELECT * FROM claims WHERE key = ?').get(key) as KeyClaim | undefined;
  }

  putClaim(key: string, digest: string, made: string): void {
    const statement = this.database.prepare('INSERT INTO claims (key, digest, made, at) VALUES (?, ?, ?, ?)');
    statement.run(key, digest, made, Date.now());
  }

  answerClaim(key: string, status: number, answer: string): void {
    this.database.prepare('UPDATE claims SET status = ?, answer = ? WHERE key = ?').run(status, answer, key);
  }

  releaseClaim(key: string): void {
    this.database.prepare('DELETE FROM claims WHERE key = ?').run(key);
  }
}

/** Below the input folder. */
function laidOut(content: string): string {
  return `assets/${content.replace('blake3:', '')}`;
}

/** RFC 9562's version 8: of a text. */
function uuidOf(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

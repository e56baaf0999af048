/** Assets: files that clients sent, and what jobs saved. */
import { randomUUID } from 'node:crypto';
import { access } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Readable } from 'node:stream';
import type { z } from 'zod';
import type { HttpHouse } from '../../http/room.js';
import { BYTES, mustBeDownloaded } from '../content-types.js';
import { ApiFault, notFound } from './fault.js';
import type { JobDesk, Locate } from './job-desk.js';
import type { SavedItem } from './outputs.js';
import type { fromHash, uploadFields } from './schemas.js';
import type { Arrival, AssetRecord, Shelf } from './shelf.js';

/** What an asset's content is. */
export type Content =
  | { readonly path: string; readonly name: string; readonly contentType: string }
  | { readonly text: string }
  | { readonly redirect: string };

export class AssetDesk {
  constructor(
    private readonly house: HttpHouse,
    private readonly shelf: Shelf,
    private readonly jobs: JobDesk,
  ) {}

  receive(content: Readable): Promise<Arrival> {
    return this.shelf.receive(content);
  }

  /** An asset of what arrived. Whether its content is new. */
  async add(
    id: string,
    arrival: Arrival,
    fields: z.infer<typeof uploadFields>,
  ): Promise<[AssetRecord, boolean]> {
    const path = placementOf(fields.file_path);
    if (fields.expected_hash !== undefined && fields.expected_hash !== arrival.hash) {
      throw new ApiFault(
        409,
        'hash_mismatch',
        `what arrived is ${arrival.hash}, not ${fields.expected_hash}`,
      );
    }
    const isNew = await this.shelf.keep(arrival);
    const { hash, size } = arrival;
    const asset = {
      id,
      hash,
      size,
      content_type: fields.content_type,
      file_path: path,
      created_at: Date.now(),
    };
    this.shelf.add(asset);
    return [asset, isNew];
  }

  discard(arrival: Arrival): Promise<void> {
    return this.shelf.discard(arrival);
  }

  /** An asset of content that is here already; the same one where it is named the same. Whether it is new. */
  mint({ hash, file_path: given }: z.infer<typeof fromHash>): [AssetRecord, boolean] {
    const [first, ...others] = this.shelf.has(hash) ? this.shelf.named(hash) : [];
    if (first === undefined) throw new ApiFault(404, 'blob_not_found', `nothing here is ${hash}`);
    const path = given === undefined ? first.file_path : placementOf(given);
    const same = [first, ...others].find((asset) => asset.file_path === path);
    if (same !== undefined) return [same, false];
    const asset = { ...first, id: randomUUID(), file_path: path, created_at: Date.now() };
    this.shelf.add(asset);
    return [asset, true];
  }

  has(hash: string): boolean {
    return this.shelf.has(hash) && this.shelf.named(hash).length > 0;
  }

  /** An uploaded asset, or what a job saved. Throws `ApiFault` (404). */
  async show(id: string, locate: Locate): Promise<object> {
    const asset = this.shelf.get(id);
    if (asset !== undefined) return this.describe(asset, locate);
    const { item, job, at } = await this.item(id);
    return {
      id,
      hash: null,
      size_bytes: item.size,
      content_type: item.contentType,
      file_path: item.name,
      created_at: new Date(at).toISOString(),
      ...this.jobs.address(id, locate),
      job_id: job,
    };
  }

  describe(asset: AssetRecord, locate: Locate): object {
    const { id, hash, size, content_type: type, file_path: path, created_at: at } = asset;
    return {
      ...{ id, hash, size_bytes: size, content_type: type, file_path: path },
      created_at: new Date(at).toISOString(),
      ...this.jobs.address(id, locate),
      expires_at: null,
    };
  }

  async content(id: string): Promise<Content> {
    const asset = this.shelf.get(id);
    if (asset !== undefined) {
      const name = basename(asset.file_path ?? id);
      return { path: this.shelf.blob(asset.hash), name, contentType: shownType(asset.content_type, name) };
    }
    const { item } = await this.item(id);
    const { text, path = '', artifact, name, contentType } = item;
    if (text !== undefined) return { text };
    const { store, settings } = this.house;
    const isGone = item.size === 0 || !(await exists(path));
    const address =
      isGone && artifact !== undefined ? await store?.url(artifact, settings.urlLifetime) : undefined;
    if (address !== undefined) return { redirect: address };
    if (isGone) throw notFound('file');
    return { path, name, contentType };
  }

  /** Throws `ApiFault`: 404, 409 while a job needs it. */
  async delete(id: string): Promise<void> {
    const asset = this.shelf.get(id);
    if (asset === undefined) {
      await this.item(id);
      throw new ApiFault(409, 'asset_in_use', 'a job saved it; it goes with the job');
    }
    for (const job of this.shelf.jobsOf(id)) {
      const record = await this.jobs.find(job);
      if (record !== undefined && record.outcome === undefined) {
        throw new ApiFault(409, 'asset_in_use', 'it is needed still');
      }
      this.shelf.forgetUse(id, job);
    }
    await this.shelf.delete(asset, this.house.premises().folders.input);
  }

  /** The name by which a workflow finds an asset, for the job of this id. Undefined for one that isn't there. */
  async nameFor(id: string, job: string): Promise<string | undefined> {
    const inputs = this.house.premises().folders.input;
    const asset = this.shelf.get(id);
    if (asset !== undefined) {
      if (!this.shelf.has(asset.hash)) return undefined;
      this.shelf.noteUse(id, job);
      return this.shelf.layOut(inputs, asset.hash, this.shelf.blob(asset.hash), asset.file_path ?? id);
    }
    try {
      const content = await this.content(id);
      return 'path' in content ? this.shelf.layOut(inputs, id, content.path, content.name) : undefined;
    } catch (error) {
      if (error instanceof ApiFault) return undefined;
      throw error;
    }
  }

  private async item(
    id: string,
  ): Promise<{ readonly item: SavedItem; readonly job: string; readonly at: number }> {
    const known = this.shelf.output(id);
    const job = known === undefined ? undefined : await this.jobs.find(known.job);
    if (known !== undefined && job === undefined) this.shelf.forgetOutputs(known.job);
    const items = job === undefined ? [] : this.jobs.itemsOf(job);
    const item = items.find(({ place }) => place === known?.place);
    if (job === undefined || item === undefined) throw notFound('asset');
    return { item, job: job.id, at: job.finishedAt ?? job.acceptedAt };
  }
}

/** A name with folders or without, of an input. Throws `ApiFault` (422) for one that leads elsewhere. */
function placementOf(path: string): string {
  const parts = path.split('/');
  if (path.includes('\0') || path.includes('\\') || parts.some((part) => ['', '.', '..'].includes(part))) {
    throw new ApiFault(
      422,
      'invalid_request',
      'file_path must be a name, or folders and a name, without . and ..',
    );
  }
  if (parts[0] === 'models') {
    throw new ApiFault(
      422,
      'invalid_request',
      'models are not taken over HTTP: put them into the models folder',
    );
  }
  return path;
}

/** Never one that a browser would run as a page. */
function shownType(type: string, name: string): string {
  const isHarmless = /^(?:image\/(?!svg)|video\/|audio\/|text\/plain\b|application\/json$)[\w.+; =-]*$/i.test(
    type,
  );
  return isHarmless && !mustBeDownloaded(name) ? type : BYTES;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

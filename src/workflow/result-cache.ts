/** What nodes returned, kept between runs. */
import type { NodeUi } from '../nodes/definition.js';

export interface CachedResult {
  /** Each output's values: one, or those of a list. */
  readonly outputs: readonly (readonly unknown[])[];
  readonly ui: NodeUi | undefined;
}

/** Of a node that another has expanded into: that one's id, and the id and class of the workflow's own. */
export interface ResultOwner {
  readonly parent: string;
  readonly root: string;
}

interface Entry {
  readonly result: CachedResult;
  readonly owner: ResultOwner | undefined;
  readonly buffers: ReadonlyMap<ArrayBufferLike, number>;
}

/**
 * Results by signature, under a bound on the memory of the arrays in them; the longest unused go first. Models in results are
 * light (their weights are the program cache's) and count nothing. An array that several results share counts once.
 */
export class ResultCache {
  /** In order of use, the longest unused first. */
  private readonly entries = new Map<string, Entry>();
  private readonly owners = new Map<ArrayBufferLike, number>();
  private heldBytes = 0;

  constructor(private readonly limitBytes: number) {}

  get size(): number {
    return this.entries.size;
  }

  get bytes(): number {
    return this.heldBytes;
  }

  has(signature: string): boolean {
    return this.entries.has(signature);
  }

  get(signature: string): CachedResult | undefined {
    const entry = this.entries.get(signature);
    if (entry === undefined) return undefined;
    this.entries.delete(signature);
    this.entries.set(signature, entry);
    return entry.result;
  }

  /** Keeps a result, unless it is larger than everything that may be kept. */
  set(signature: string, result: CachedResult, owner?: ResultOwner): void {
    this.delete(signature);
    const buffers = buffersOf(result.outputs);
    if ([...buffers.values()].reduce((sum, bytes) => sum + bytes, 0) > this.limitBytes) return;
    this.entries.set(signature, { result, owner, buffers });
    for (const [buffer, bytes] of buffers) {
      const owners = this.owners.get(buffer) ?? 0;
      if (owners === 0) this.heldBytes += bytes;
      this.owners.set(buffer, owners + 1);
    }
    for (const oldest of this.entries.keys()) {
      if (this.heldBytes <= this.limitBytes) break;
      this.delete(oldest);
    }
  }

  /**
   * Drops what the given signatures don't name, and what no root of this run has expanded into: ComfyUI's classic cache keeps the
   * last workflow's results.
   */
  retain(signatures: ReadonlySet<string>, isRoot: (root: string) => boolean = () => false): void {
    for (const [signature, { owner }] of this.entries) {
      const owned = owner !== undefined && isRoot(owner.root);
      if (!owned && !signatures.has(signature)) this.delete(signature);
    }
  }

  /** A node has expanded anew: drops what it expanded into before and doesn't now. */
  retainExpansion(parent: string, signatures: ReadonlySet<string>): void {
    for (const [signature, { owner }] of this.entries) {
      if (owner?.parent === parent && !signatures.has(signature)) this.delete(signature);
    }
  }

  clear(): void {
    this.retain(new Set());
  }

  private delete(signature: string): void {
    const entry = this.entries.get(signature);
    if (entry === undefined) return;
    this.entries.delete(signature);
    for (const [buffer, bytes] of entry.buffers) {
      const owners = this.owners.get(buffer)! - 1;
      if (owners > 0) {
        this.owners.set(buffer, owners);
      } else {
        this.owners.delete(buffer);
        this.heldBytes -= bytes;
      }
    }
  }
}

/**
 * The memory behind every array in plain objects and lists, and in what functions carry (sound that is read already). Class
 * instances (models) are not looked into.
 */
function buffersOf(outputs: readonly unknown[]): ReadonlyMap<ArrayBufferLike, number> {
  const buffers = new Map<ArrayBufferLike, number>();
  const seen = new Set<unknown>();
  const waiting: unknown[] = [...outputs];
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (!canHold(value) || seen.has(value)) continue;
    seen.add(value);
    if (ArrayBuffer.isView(value)) {
      buffers.set(value.buffer, Math.max(buffers.get(value.buffer) ?? 0, value.byteLength));
    } else if (typeof value === 'function' || Array.isArray(value) || isPlain(value)) {
      // A list of numbers holds nothing to look into.
      const items: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
      for (const item of items) if (canHold(item)) waiting.push(item);
    }
  }
  return buffers;
}

function canHold(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function isPlain(value: object): boolean {
  return Object.getPrototypeOf(value) === Object.prototype;
}

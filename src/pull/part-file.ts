/** A file on its way: its bytes in `NAME.part`, and beside it which of them are there, so that another run goes on. */
import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { PullError } from './pull-error.js';
import { bytesOf, withRange, type Range } from './ranges.js';

/** What tells one state of a remote file from another. */
export interface Identity {
  readonly size: number | undefined;
  readonly etag: string | undefined;
  readonly sha256: string | undefined;
}

interface State extends Identity {
  /** Of the process that writes it. */
  readonly pid: number;
  readonly have: readonly Range[];
}

export class PartFile {
  private readonly file: number;
  private ranges: readonly Range[] = [];

  private constructor(
    private readonly path: string,
    private readonly identity: Identity,
    before: readonly Range[],
  ) {
    this.file = openSync(this.partPath, before.length > 0 ? 'r+' : 'w');
    // What the state promises must be there.
    const { size } = fstatSync(this.file);
    this.ranges = before.every(([, end]) => end <= size) ? before : [];
    if (this.ranges.length === 0) ftruncateSync(this.file, 0);
    this.save();
  }

  /**
   * Opens what is there already of the same remote file, and begins anew otherwise. Throws `PullError` while another process
   * fetches it.
   */
  static open(path: string, identity: Identity): PartFile {
    const state = readState(path);
    if (state !== undefined && state.pid !== process.pid && isAlive(state.pid)) {
      throw new PullError(`${path} is being pulled by another process, ${state.pid}`);
    }
    const same =
      state !== undefined &&
      state.size === identity.size &&
      state.sha256 === identity.sha256 &&
      state.etag === identity.etag &&
      (identity.etag !== undefined || identity.sha256 !== undefined);
    return new PartFile(path, identity, same ? state.have : []);
  }

  get partPath(): string {
    return `${this.path}.part`;
  }

  get have(): readonly Range[] {
    return this.ranges;
  }

  get bytes(): number {
    return bytesOf(this.ranges);
  }

  write(bytes: Uint8Array, at: number): void {
    for (let written = 0; written < bytes.length;) {
      written += writeSync(this.file, bytes, written, bytes.length - written, at + written);
    }
    this.ranges = withRange(this.ranges, [at, at + bytes.length]);
  }

  /** Nothing of it is kept. */
  restart(): void {
    ftruncateSync(this.file, 0);
    this.ranges = [];
    this.save();
  }

  /** Another run finds what is there. */
  save(): void {
    const state: State = { ...this.identity, pid: process.pid, have: this.ranges };
    const next = `${this.path}.part.json.new`;
    writeFileSync(next, JSON.stringify(state));
    renameSync(next, statePath(this.path));
  }

  /** Leaves it for another run. */
  close(): void {
    this.save();
    // A process that is over holds nothing, whatever comes to bear its number.
    writeFileSync(statePath(this.path), JSON.stringify({ ...this.identity, pid: 0, have: this.ranges }));
    closeSync(this.file);
  }

  /** Gives the file its name. */
  finish(): void {
    fsyncSync(this.file);
    closeSync(this.file);
    renameSync(this.partPath, this.path);
    rmSync(statePath(this.path), { force: true });
  }

  /** Throws it away. */
  discard(): void {
    closeSync(this.file);
    rmSync(this.partPath, { force: true });
    rmSync(statePath(this.path), { force: true });
  }
}

function statePath(path: string): string {
  return `${path}.part.json`;
}

function readState(path: string): State | undefined {
  try {
    const state = JSON.parse(readFileSync(statePath(path), 'utf8')) as Partial<State>;
    const have = state.have;
    const whole = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
    if (
      !Array.isArray(have) ||
      !have.every((range) => Array.isArray(range) && range.length === 2 && range.every(whole))
    )
      return undefined;
    return { size: state.size, etag: state.etag, sha256: state.sha256, pid: Number(state.pid), have };
  } catch {
    // None, or one that was cut off: it begins anew.
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

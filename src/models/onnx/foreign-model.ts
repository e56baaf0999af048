/** Models in ONNX's format that were made elsewhere, run by ONNX Runtime on the CPU: the one door to them. */
import { readFileSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { runtimeLibrary } from '../../compute/onnx/runtime-library.js';
import type { Tensor } from '../../compute/tensor.js';
import { OnnxSession } from '../../native/addon.js';
import { safeText } from '../../safe-text.js';
import { ModelError } from '../model-error.js';
import { availableMemory } from '../programs/available-memory.js';
import { namesOtherFiles } from './outside-data.js';

/** Of protobuf's messages. */
const MOST_BYTES = 2 ** 31 - 1;
/** How many are held loaded, the longest unused going first. */
const MOST_LOADED = 2;
const MOST_SECONDS = 600;

export interface ForeignRunOptions {
  readonly signal?: AbortSignal;
  /** After which the run is given up; 600 when left out. */
  readonly seconds?: number;
}

export interface ForeignOutput extends Tensor {
  /** Whether the model gives whole numbers. */
  readonly isWhole: boolean;
}

export interface ForeignModel {
  readonly path: string;
  /**
   * Its first input's values → those of its outputs, in the model's order, which must be of float32 or int32. Rejects with `ModelError` for a
   * file that can't be used, with the signal's reason, and when time is up.
   */
  run(input: Tensor, options?: ForeignRunOptions): Promise<readonly ForeignOutput[]>;
}

interface Loaded {
  readonly stamp: string;
  readonly session: Promise<OnnxSession>;
}

/** Models by their paths, each read once while its file stays the same. */
export function createForeignModels(): (path: string) => ForeignModel {
  /** In order of use. */
  const loaded = new Map<string, Loaded>();

  function sessionOf(path: string): Promise<OnnxSession> {
    const { size, mtimeMs } = statSync(path);
    const stamp = `${size}#${mtimeMs}`;
    const known = loaded.get(path);
    const entry = known?.stamp === stamp ? known : { stamp, session: load(path, size) };
    loaded.delete(path);
    loaded.set(path, entry);
    if (known !== undefined && known !== entry) forget(known);
    for (const [other, unused] of [...loaded].slice(0, -MOST_LOADED)) {
      loaded.delete(other);
      forget(unused);
    }
    // One that can't be loaded is tried anew.
    entry.session.catch(() => loaded.get(path) === entry && loaded.delete(path));
    return entry.session;
  }

  return (path) => ({
    path,
    async run(input, { signal, seconds = MOST_SECONDS } = {}) {
      signal?.throwIfAborted();
      const session = await sessionOf(path);
      const { inputs, outputs } = session.names();
      const [name] = inputs;
      if (name === undefined) throw new ModelError(`${path} takes no input`);
      const late = new AbortController();
      let again: NodeJS.Timeout | undefined;
      // A run that waits for its thread doesn't hear of it yet.
      const cancel = (): void => {
        session.cancel();
        again ??= setInterval(cancel, 20);
      };
      const timer = setTimeout(() => {
        late.abort();
        cancel();
      }, seconds * 1000);
      signal?.addEventListener('abort', cancel);
      try {
        return await session.run([{ name, ...input }], outputs);
      } catch (error) {
        signal?.throwIfAborted();
        if (late.signal.aborted)
          throw new ModelError(`${path} was given up after ${seconds} seconds`, { cause: error });
        throw refused(path, error);
      } finally {
        clearTimeout(timer);
        clearInterval(again);
        signal?.removeEventListener('abort', cancel);
      }
    },
  });
}

function forget({ session }: Loaded): void {
  void session.then(
    (each) => {
      each.dispose();
    },
    () => undefined,
  );
}

async function load(path: string, size: number): Promise<OnnxSession> {
  const most = Math.min(MOST_BYTES, availableMemory() / 2);
  if (size > most) {
    throw new ModelError(`${path} has ${size} bytes; at most ${Math.floor(most)} can be loaded now`);
  }
  const bytes = readFileSync(path);
  try {
    if (namesOtherFiles(bytes)) {
      throw new ModelError(
        `${path} keeps its weights in other files, which isn't supported: save it as one file`,
      );
    }
    const session = new OnnxSession();
    const options = { threads: availableParallelism(), foreign: true };
    await session.load(runtimeLibrary(), bytes, [], options);
    return session;
  } catch (error) {
    throw refused(path, error);
  }
}

function refused(path: string, error: unknown): ModelError {
  if (error instanceof ModelError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new ModelError(`${path} can't be run by ONNX Runtime: ${safeText(reason)}`, { cause: error });
}

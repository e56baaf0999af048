import { fetchFile } from '../web/fetch-file.js';
import type { Backend } from '../compute/backend.js';
import type { Precision } from '../native/onnx-types.js';
import type { NoiseKind } from '../native/sampler-types.js';
import { createFolders, type FolderOptions, type Folders } from '../models/folders/folders.js';
import { createModelStore } from '../models/open-models.js';
import { createProgramCache, type ProgramObserver } from '../models/programs/program-cache.js';
import type { AnyNodeClass } from '../nodes/definition.js';
import { nodeClasses } from '../nodes/index.js';
import { inputStore } from '../store/fetch-inputs.js';
import type { S3Access } from '../store/s3/access.js';
import { WarningRelay } from '../workflow/warnings.js';
import { chooseBackend } from './choose-backend.js';
import type { Device } from '../config/device.js';
import { engineOf, type Engine } from './engine.js';

export interface EngineOptions {
  /** Where models, inputs and outputs lie; `models`, `input`, `output` and `temp` in the working folder when left out. */
  readonly folders?: Folders | Partial<FolderOptions> | undefined;
  /** Threads inside one operator; ONNX Runtime's own choice, the physical cores, when left out. */
  readonly threads?: number | undefined;
  /**
   * What denoisers round operands of their products to: nothing, `fp32`, when left out. With `bf16` a run fails on a processor
   * that can't do it fast.
   */
  readonly precision?: Precision | undefined;
  /** Bytes of weights to keep loaded; what the machine has free when left out. */
  readonly memoryLimit?: number | undefined;
  /** Bytes of images, latents and conditionings to keep between runs; 1 GiB when left out. */
  readonly resultBytes?: number | undefined;
  /**
   * Whose noise samplers add on their way: what ComfyUI draws on a CPU, when left out, what it drew there until 0.3.64, or what it
   * draws on an NVIDIA GPU. A run may choose otherwise.
   */
  readonly noise?: NoiseKind | undefined;
  /**
   * Threads that this GPU holds at once, multiprocessors times threads of each; an RTX 4090's when left out. It matters for
   * latents of more values than it, or an RTX 4090, has threads.
   */
  readonly gpuThreads?: number | undefined;
  /** Whether workflows may have pictures fetched by their addresses, from public hosts alone; no, when left out. */
  readonly allowUrls?: boolean | undefined;
  /** Node classes beside the ones that come with the package, or instead of those of the same name. */
  readonly nodes?: Iterable<AnyNodeClass> | undefined;
  /**
   * What runs the graphs: the CPU, with `threads` and `precision`, when left out; an NVIDIA card (`cuda`, which throws
   * `CudaUnavailable` without one), or a card where one can be used (`auto`).
   */
  readonly device?: Device | undefined;
  /** Told when something runs on the CPU instead of the card; nodes warn of it when left out. */
  readonly notice?: ((message: string) => void) | undefined;
  /** What runs the graphs, instead of a device. */
  readonly backend?: Backend | undefined;
  /** How buckets are reached that inputs may be read from (`folders.buckets`); AWS's when left out. */
  readonly s3?: S3Access | undefined;
  /** Told when models are loaded and waited for. */
  readonly observer?: ProgramObserver | undefined;
}

const defaultResultBytes = 1 << 30;

/**
 * Makes an engine that runs ComfyUI workflows in this process. Nothing is read or loaded before a workflow needs
 * it.
 *
 * @example
 * import { readFile } from 'node:fs/promises';
 * import { createEngine } from 'latentd';
 *
 * const engine = createEngine({ folders: { models: '/srv/ComfyUI/models' } });
 * const result = await engine.run(await readFile('workflow.json', 'utf8'));
 * if (result.status === 'success') console.log(result.outputs);
 * await engine.dispose();
 */
export function createEngine(options: EngineOptions = {}): Engine {
  const { threads, precision, memoryLimit, resultBytes = defaultResultBytes, nodes = [], observer } = options;
  const folders = openFolders(options.folders ?? {});
  const warnings = new WarningRelay();
  const cpuOptions = {
    ...(threads !== undefined && { threads }),
    ...(precision !== undefined && { precision }),
  };
  const programs = createProgramCache(
    options.backend ?? chooseBackend(options.device ?? 'cpu', cpuOptions, options.notice ?? warnings.tell),
    { observer, ...(memoryLimit === undefined ? {} : { limitBytes: memoryLimit }) },
  );
  const { noise = 'cpu', gpuThreads } = options;
  return engineOf({
    registry: new Map([...nodeClasses, ...[...nodes].map((node) => [node.name, node] as const)]),
    folders,
    models: createModelStore({ programs, folders, warn: warnings.tell }),
    warnings,
    resultBytes,
    ...(folders.buckets !== undefined &&
      folders.buckets.length > 0 && {
        inputs: inputStore(folders.temp, folders.buckets, options.s3 ?? {}),
      }),
    noise: { noise, ...(gpuThreads === undefined ? {} : { gpuThreads }) },
    ...(options.allowUrls === true && { fetchFile }),
    dispose: () => programs.dispose(),
  });
}

/** Of the working folder where nothing else is said. */
export function openFolders(given: Folders | Partial<FolderOptions>): Folders {
  if ('resolve' in given) return given;
  return createFolders({ models: 'models', input: 'input', output: 'output', temp: 'temp', ...given });
}

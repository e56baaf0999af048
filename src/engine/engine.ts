/** What runs workflows: node classes, folders and models brought together, with the results of earlier runs. */
import type { Folders } from '../models/folders/folders.js';
import type { ModelStore } from '../models/model-store.js';
import type { NoiseKind } from '../native/sampler-types.js';
import type { RunContext } from '../nodes/context.js';
import type { NodeRegistry } from '../nodes/index.js';
import type { InputStore } from '../store/fetch-inputs.js';
import type { RunEvent, RunResult } from '../workflow/events.js';
import { execute } from '../workflow/execute.js';
import { WorkflowError, type FaultReport } from '../workflow/faults.js';
import { objectInfo, type NodeInfo } from '../workflow/object-info.js';
import { editorReader } from '../workflow/editor/from-editor.js';
import { parseWorkflow, workflowFromObject, type Workflow } from '../workflow/parse.js';
import { ResultCache } from '../workflow/result-cache.js';
import type { WarningRelay } from '../workflow/warnings.js';
import { validateWorkflow, type Validation } from '../workflow/validate.js';
import { bringInputs } from './bring-inputs.js';

/** JSON text in ComfyUI's API format or its editor's, the same as a JavaScript object, or a workflow that was parsed before. */
export type WorkflowSource = string | object | Workflow;

export interface RunOptions {
  /** Aborting it ends the run within one sampling step. */
  readonly signal?: AbortSignal;
  /** Called as things happen, previews included; must not throw. */
  readonly onEvent?: (event: RunEvent) => void;
  /** Instead of what ComfyUI writes into pictures (`prompt`, `workflow`): JSON texts by key; `{}` writes nothing. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Whose noise samplers add on their way; the engine's choice when left out. */
  readonly noise?: NoiseKind;
  /** Saves again what an unchanged workflow has saved before. */
  readonly forceOutputs?: boolean;
}

export interface WorkflowCheck {
  /** Ids of the output nodes that can run. */
  readonly outputs: readonly string[];
  /** Why others can't, or the workflow as a whole; undefined for a sound one. */
  readonly faults: FaultReport | undefined;
}

/** A workflow that was refused; nothing ran. */
export interface InvalidResult {
  readonly status: 'invalid';
  readonly report: FaultReport;
}

export type EngineResult = RunResult | InvalidResult;

export interface Engine {
  readonly folders: Folders;
  /** Every node class by name, those of node packs too. */
  readonly nodes: NodeRegistry;
  /**
   * Whether a workflow can run, and every fault in ComfyUI's error shape: with sound outputs beside others, both. Runs
   * nothing.
   */
  check(workflow: WorkflowSource): WorkflowCheck;
  /**
   * A workflow with its nodes by id, whatever form it came in; of the editor's, as `latentd convert` makes it. Throws
   * `WorkflowError`.
   */
  parse(workflow: WorkflowSource): Workflow;
  /** Why a workflow can't run; undefined when it can, or some of its outputs can. Runs nothing. */
  validate(workflow: WorkflowSource): FaultReport | undefined;
  /**
   * Validates and runs a workflow. How it ended is in the result's `status`: it rejects for no fault of the workflow, of a
   * model or of a node, but only after `dispose`. One workflow runs at a time; others wait for their turn.
   */
  run(workflow: WorkflowSource, options?: RunOptions): Promise<EngineResult>;
  /** ComfyUI's `object_info`: every node class with the inputs and options that it takes now. */
  objectInfo(): Readonly<Record<string, NodeInfo>>;
  /** Forgets the results of earlier runs. Loaded models stay. */
  clearResults(): void;
  /** Lets go of a model file, of what was made of it and of the results of earlier runs, after what runs and waits. */
  freeModel(path: string): Promise<void>;
  /** Cancels what runs and waits, then frees models. */
  dispose(): Promise<void>;
}

export interface EngineParts {
  readonly registry: NodeRegistry;
  readonly folders: Folders;
  readonly models: ModelStore;
  /** What the models warn of goes through here to the run's events. */
  readonly warnings?: WarningRelay;
  /** Where inputs from buckets come from. */
  readonly inputs?: InputStore;
  /** Bytes of images, latents and conditionings kept between runs. */
  readonly resultBytes: number;
  /** Whose noise samplers add where a run doesn't say; a CPU's when left out. */
  readonly noise?: RunContext['noise'];
  /** Fetches a file by its address; left out where workflows may not ask for that. */
  readonly fetchFile?: RunContext['fetchFile'];
  /** Frees what the models hold. */
  dispose(): Promise<void>;
}

export function engineOf(parts: EngineParts): Engine {
  return new WorkflowEngine(parts);
}

class WorkflowEngine implements Engine {
  private readonly cache: ResultCache;
  private readonly disposal = new AbortController();
  private lastRun: Promise<unknown> = Promise.resolve();

  constructor(private readonly parts: EngineParts) {
    this.cache = new ResultCache(parts.resultBytes);
  }

  get nodes(): NodeRegistry {
    return this.parts.registry;
  }

  get folders(): Folders {
    return this.parts.folders;
  }

  check(workflow: WorkflowSource): WorkflowCheck {
    const validation = this.plan(workflow);
    return { outputs: validation.valid ? validation.plan.outputs : [], faults: validation.report };
  }

  parse(source: WorkflowSource): Workflow {
    if (typeof source !== 'string' && isParsed(source)) return source;
    const { registry, folders } = this.parts;
    const fromEditor = editorReader(registry, folders);
    return typeof source === 'string'
      ? parseWorkflow(source, { fromEditor })
      : workflowFromObject(source, fromEditor);
  }

  validate(workflow: WorkflowSource): FaultReport | undefined {
    const { outputs, faults } = this.check(workflow);
    return outputs.length === 0 ? faults : undefined;
  }

  run(workflow: WorkflowSource, options: RunOptions = {}): Promise<EngineResult> {
    if (this.disposal.signal.aborted) return Promise.reject(new Error('this engine has been disposed'));
    const turn = this.lastRun.then(() => this.runNow(workflow, options));
    this.lastRun = turn.catch(() => undefined);
    return turn;
  }

  objectInfo(): Readonly<Record<string, NodeInfo>> {
    return objectInfo(this.parts.registry, this.parts.folders);
  }

  clearResults(): void {
    this.cache.clear();
  }

  freeModel(path: string): Promise<void> {
    const turn = this.lastRun.then(() => {
      this.cache.clear();
      return this.parts.models.free(path);
    });
    this.lastRun = turn;
    return turn;
  }

  async dispose(): Promise<void> {
    if (this.disposal.signal.aborted) return;
    this.disposal.abort();
    await this.lastRun;
    this.cache.clear();
    await this.parts.dispose();
  }

  private async runNow(source: WorkflowSource, options: RunOptions): Promise<EngineResult> {
    const validation = this.plan(source);
    if (!validation.valid) return { status: 'invalid', report: validation.report };
    const { folders, models, registry, warnings, fetchFile } = this.parts;
    const shared = {
      cache: this.cache,
      registry,
      folders,
      models,
      ...(warnings && { warnings }),
      ...(fetchFile && { fetchFile }),
    };
    const cancellation = new AbortController();
    const cancel = () => {
      cancellation.abort();
    };
    // Not AbortSignal.any, which in Node 20 never lets go of what it made from a long-lived signal.
    const causes = [options.signal, this.disposal.signal].filter((signal) => signal !== undefined);
    if (causes.some((cause) => cause.aborted)) cancel();
    for (const cause of causes) cause.addEventListener('abort', cancel);
    try {
      const { inputs } = this.parts;
      if (inputs !== undefined) {
        const { plan } = validation;
        const failed = await bringInputs(
          plan.workflow,
          inputs,
          cancellation.signal,
          options.onEvent ?? (() => undefined),
        ).catch((error: unknown) => {
          // Execution tells of a cancellation as it always does.
          if (cancellation.signal.aborted) return undefined;
          throw error;
        });
        if (failed !== undefined) return failed;
      }
      const own = options.noise === undefined ? {} : { noise: options.noise };
      const noise = { ...this.parts.noise, ...own };
      return await execute(validation.plan, {
        ...options,
        ...shared,
        noise,
        signal: cancellation.signal,
        ...(validation.report && { faults: validation.report }),
      });
    } finally {
      for (const cause of causes) cause.removeEventListener('abort', cancel);
    }
  }

  private plan(source: WorkflowSource): Validation {
    try {
      return validateWorkflow(this.parse(source), this.parts.registry, this.parts.folders);
    } catch (error) {
      if (error instanceof WorkflowError) return { valid: false, report: error.report };
      throw error;
    }
  }
}

function isParsed(source: object): source is Workflow {
  return 'nodes' in source && source.nodes instanceof Map;
}

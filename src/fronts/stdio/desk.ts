/** Does what hosts ask. */
import { randomUUID } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { JobNotice } from '../../jobs/events.js';
import type { Job, JobOutcome } from '../../jobs/job.js';
import { Refusal } from '../../jobs/queue.js';
import type { SavedFile } from '../../nodes/results.js';
import { describeReport } from '../../workflow/faults.js';
import { submitAndFollow } from '../follow-job.js';
import type { FrontOptions } from '../front.js';
import { warmUpWorkflow } from '../warm-up.js';
import type { Asked, RequestId } from './envelope.js';
import { StdioFault } from './fault.js';
import { modelName } from './model-names.js';
import { plansOf } from './plan.js';
import type { PictureKind } from './request.js';
import { DIFFUSERS_SCHEDULERS } from './schedulers.js';
import { filledWorkflow } from './task-workflows.js';
import { firstStep, workflowOf } from './workflow.js';

export const FRONT = 'stdio';

type Task = Pick<Job, 'task' | 'load'>;

/** A request that waits for its job. */
interface OpenRequest {
  readonly job: string;
  readonly id: RequestId | undefined;
  state: 'queued' | 'running';
}

/** Hears how far a request is. */
export type Hear = (facts: object) => void;

type Method = (asked: Asked, hear: Hear) => Promise<object>;

const MAX_BATCH = 256;

export class StdioDesk {
  private readonly startedAt = performance.now();
  private readonly open = new Set<OpenRequest>();
  /** Models that the engine has used since it was last emptied. */
  private readonly loaded = new Set<string>();
  private readonly methods: ReadonlyMap<string, Method>;

  constructor(
    private readonly house: FrontOptions,
    private readonly shutDown: () => void,
  ) {
    const draw =
      (kind?: PictureKind): Method =>
      (asked, hear) =>
        this.draw(asked, kind, hear);
    const rows: readonly (readonly [names: readonly string[], method: Method])[] = [
      [['text2img', 'txt2img', 'text_to_image'], draw('text2img')],
      [['img2img', 'image_to_image'], draw('img2img')],
      [['inpaint', 'inpainting'], draw('inpaint')],
      [
        [
          'generate',
          'generate_image',
          'generate_sdxl',
          'generate_sdxl_enhanced',
          'execute',
          'inference_request',
        ],
        draw(),
      ],
      [['batch', 'process_batch'], (asked, hear) => this.batch(asked, hear)],
      [['workflow', 'run_workflow'], (asked, hear) => this.runWorkflow(asked, hear)],
      [['validate', 'validate_request'], (asked) => this.validate(asked)],
      [['load', 'load_model'], (asked, hear) => this.load(asked, hear)],
      [['unload', 'unload_model', 'cleanup_memory', 'clear_cache'], () => this.unload()],
      [['list_models', 'models'], () => Promise.resolve(this.models())],
      [['status', 'get_status', 'health', 'initialize'], () => this.status()],
      [['capabilities', 'get_capabilities'], () => Promise.resolve(this.capabilities())],
      [['cancel', 'cancel_request'], (asked) => this.cancel(asked)],
      [['shutdown'], () => this.end()],
    ];
    this.methods = new Map(rows.flatMap(([names, method]) => names.map((name) => [name, method] as const)));
  }

  /** What a request comes to. Throws `StdioFault`. */
  async handle(asked: Asked, hear: Hear): Promise<object> {
    const method = this.methods.get(asked.method);
    if (method !== undefined) return method(asked, hear);
    const names = [...this.methods.keys()].join(', ');
    throw new StdioFault(
      'unknown_method',
      `there is no method ${JSON.stringify(asked.method)}; there are ${names}`,
      'method',
    );
  }

  private async draw({ parameters, id }: Asked, kind: PictureKind | undefined, hear: Hear): Promise<object> {
    const plans = await this.plans(parameters, kind);
    const last = plans.at(-1)!;
    const steps = plans.reduce((sum, plan) => sum + plan.steps - firstStep(plan), 0);
    const load = {
      model: plans[0]!.checkpoint,
      pixels: last.width * last.height,
      steps,
      images: plans[0]!.count,
    };
    const task = { task: { workflow: workflowOf(plans), needsPicture: true }, load };
    const { files, seconds, warnings } = await this.run(task, id, hear);
    for (const { checkpoint, refiner } of plans) {
      for (const model of [checkpoint, refiner]) if (model !== undefined) this.loaded.add(model);
    }
    return {
      ...resultOf(files, seconds, warnings),
      ...(last.wantsBytes && {
        image_data: await Promise.all(
          files.map(async ({ path }) => (await readFile(path)).toString('base64')),
        ),
      }),
      seed: plans[0]!.seed,
      seed_used: plans[0]!.seed,
      width: last.width,
      height: last.height,
      model_id: plans[0]!.checkpoint,
    };
  }

  /** Several requests, answered as one. A request's fault is its own. */
  private async batch({ parameters, id }: Asked, hear: Hear): Promise<object> {
    const { requests, ...common } = parameters;
    if (!Array.isArray(requests) || requests.length === 0 || requests.length > MAX_BATCH) {
      throw new StdioFault('invalid_request', `requests: a list of 1 to ${MAX_BATCH} is needed`, 'requests');
    }
    let done = 0;
    const results = await Promise.all(
      requests.map(async (request: unknown) => {
        try {
          if (!isObject(request)) throw new StdioFault('invalid_request', 'requests: each is an object');
          const { parameters: own, ...rest } = request;
          const given = { ...common, ...(isObject(own) ? own : rest) };
          const asked = { id, isCamel: false, method: 'generate', parameters: given, wantsProgress: false };
          const data = await this.draw(asked, kindNamed(rest['method']), () => undefined);
          hear({ progress: ++done / requests.length, step: done, total_steps: requests.length });
          return { success: true, data };
        } catch (error) {
          if (!(error instanceof StdioFault)) throw error;
          return { success: false, error: error.message, error_details: { code: error.code } };
        }
      }),
    );
    return { results, succeeded: results.filter(({ success }) => success).length, total: results.length };
  }

  private async runWorkflow({ parameters, id }: Asked, hear: Hear): Promise<object> {
    const { files, seconds, warnings } = await this.run(
      { ...filledWorkflow(parameters, this.house.premises().graphs) },
      id,
      hear,
    );
    return resultOf(files, seconds, warnings);
  }

  private async validate({ parameters }: Asked): Promise<object> {
    try {
      const report = await this.house.checker.check(workflowOf(await this.plans(parameters, undefined)));
      if (report === undefined) return { valid: true, error: null };
      return { valid: false, error: describeReport(report) };
    } catch (error) {
      if (!(error instanceof StdioFault)) throw error;
      return { valid: false, error: error.message };
    }
  }

  /** Draws the smallest picture there is, after which all parts of the model are in memory. */
  private async load({ parameters, id }: Asked, hear: Hear): Promise<object> {
    const wanted = [parameters['model_id'], parameters['model_path'], parameters['name']].find(
      (each): each is string => typeof each === 'string' && each !== '',
    );
    if (wanted === undefined)
      throw new StdioFault('invalid_request', 'model_id: a text is needed', 'model_id');
    const { folders } = this.house.premises();
    const model = modelName(folders, 'checkpoints', wanted, 'model_id');
    const { seconds } = await this.run(warmUpWorkflow(model), id, hear);
    this.loaded.add(model);
    const { size } = await stat(folders.resolve('checkpoints', model));
    return { model_id: model, load_time_seconds: seconds, model_size_bytes: size };
  }

  private unload(): Promise<object> {
    const unloaded = [...this.loaded];
    this.loaded.clear();
    this.house.jobs.freeEngines();
    return Promise.resolve({ unloaded });
  }

  private models(): object {
    const { folders } = this.house.premises();
    const list = (kind: Parameters<typeof folders.list>[0]) => folders.list(kind);
    return {
      models: list('checkpoints'),
      loras: list('loras'),
      vae: list('vae'),
      control_nets: list('controlnet'),
      upscalers: list('upscale_models'),
      loaded: [...this.loaded],
    };
  }

  private async status(): Promise<object> {
    const { jobs } = this.house;
    const running = [...this.open].filter(({ state }) => state === 'running');
    const [engine] = jobs.engineStates;
    return {
      status: jobs.isStopping ? 'stopping' : this.open.size > 0 ? 'busy' : 'idle',
      is_available: !jobs.isStopping,
      engine: engine?.state ?? 'down',
      devices: this.house.premises().devices,
      queued: this.open.size - running.length,
      running: running.length,
      requests: [...this.open].map(({ id, state }) => ({ id: id?.value ?? null, state })),
      loaded_models: [...this.loaded],
      memory_used_mb: Math.round((await jobs.engineBytes()) / 2 ** 20),
      uptime_seconds: (performance.now() - this.startedAt) / 1000,
    };
  }

  private capabilities(): object {
    return {
      methods: [...this.methods.keys()],
      worker_types: ['sdxl_worker', 'pipeline_manager', 'model_loader'],
      supported_schedulers: DIFFUSERS_SCHEDULERS,
      supported_formats: ['png'],
      features: {
        text2img: true,
        img2img: true,
        inpaint: true,
        refiner: true,
        stages: true,
        lora: true,
        control_net: true,
        upscaler: true,
        safety_checker: false,
        auto_contrast: false,
      },
      max_resolution: 16_384,
      max_batch_size: 64,
    };
  }

  /** By the id of a request; without one, whatever runs or waits. */
  private async cancel({ parameters }: Asked): Promise<object> {
    const wanted = ['correlation_id', 'request_id', 'target', 'id', 'session_id']
      .map((name) => parameters[name])
      .find((value) => typeof value === 'string' || typeof value === 'number');
    const chosen = [...this.open].filter(
      ({ id }) => wanted === undefined || (id !== undefined && String(id.value) === String(wanted)),
    );
    const done = await Promise.all(chosen.map(({ job }) => this.house.jobs.cancel(job)));
    return { cancelled: done.filter(Boolean).length };
  }

  private end(): Promise<object> {
    // After the answer is out.
    setImmediate(this.shutDown);
    return Promise.resolve({ status: 'stopping' });
  }

  private plans(parameters: Readonly<Record<string, unknown>>, kind: PictureKind | undefined) {
    return plansOf(parameters, kind, {
      premises: this.house.premises(),
      chooseCheckpoint: () => this.house.checker.chooseCheckpoint(),
      random: Math.random,
    });
  }

  /** Runs a job to its end. Throws `StdioFault` for what can't run, failed, or was cancelled. */
  private async run(
    { task, load }: Task,
    id: RequestId | undefined,
    hear: Hear,
  ): Promise<{
    readonly files: readonly SavedFile[];
    readonly seconds: number;
    readonly warnings: readonly string[];
  }> {
    const { jobs, checker } = this.house;
    if (jobs.isStopping) throw new StdioFault('stopping', 'the worker stops');
    const report = await checker.check(task.workflow);
    if (report !== undefined) throw new StdioFault('invalid_workflow', describeReport(report));
    const open: OpenRequest = { job: randomUUID(), id, state: 'queued' };
    const warnings: string[] = [];
    const job = { id: open.job, client: { front: FRONT }, priority: 0, task, load, metadata: {} };
    this.open.add(open);
    try {
      const followed = await submitAndFollow(jobs, job, (notice) => {
        see(notice, open, warnings, hear);
      });
      const outcome = await followed.over;
      return { files: filesOf(outcome), seconds: outcome.durationSeconds, warnings };
    } catch (cause) {
      throw cause instanceof Refusal ? new StdioFault('refused', cause.message) : cause;
    } finally {
      this.open.delete(open);
    }
  }
}

function see(notice: JobNotice, open: OpenRequest, warnings: string[], hear: Hear): void {
  if (notice.kind === 'started') open.state = 'running';
  if (notice.kind === 'event' && notice.event.type === 'warning') warnings.push(notice.event.text);
  if (notice.kind !== 'progress') return;
  const { phase, step, totalSteps, sampled } = notice.report;
  hear({ progress: sampled, phase, step, total_steps: totalSteps, seconds_left: notice.secondsLeft });
}

function filesOf({ state, error, outputs }: JobOutcome): readonly SavedFile[] {
  if (state === 'cancelled') throw new StdioFault('cancelled', 'the request was cancelled');
  if (state === 'failed') throw new StdioFault('failed', error ?? 'the job failed');
  return outputs.flatMap(({ ui }) => [...(ui.images ?? []), ...(ui.gifs ?? [])]);
}

function resultOf(files: readonly SavedFile[], seconds: number, warnings: readonly string[]): object {
  const images = files.map(({ path }) => path);
  return {
    images,
    output_path: images[0] ?? null,
    generation_time_seconds: seconds,
    processing_time: seconds,
    ...(warnings.length > 0 && { warnings }),
  };
}

function kindNamed(method: unknown): PictureKind | undefined {
  return (['text2img', 'img2img', 'inpaint'] as const).find((kind) => kind === method);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

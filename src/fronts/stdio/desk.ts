/** Does what hosts ask. */
import { readFile } from 'node:fs/promises';
import type { SavedFile } from '../../nodes/results.js';
import { describeReport } from '../../workflow/faults.js';
import type { FrontOptions } from '../front.js';
import type { Asked } from './envelope.js';
import { StdioFault } from './fault.js';
import { LoadedModels } from './loaded-models.js';
import { OpenRequests, type Hear } from './open-requests.js';
import { plansOf } from './plan.js';
import type { PictureKind } from './request.js';
import { DIFFUSERS_SCHEDULERS } from './schedulers.js';
import { filledWorkflow } from './task-workflows.js';
import { firstStep, workflowOf } from './workflow.js';

type Method = (asked: Asked, hear: Hear) => Promise<object>;

const MAX_BATCH = 256;

export class StdioDesk {
  private readonly startedAt = performance.now();
  private readonly open: OpenRequests;
  private readonly models: LoadedModels;
  private readonly methods: ReadonlyMap<string, Method>;

  constructor(
    private readonly house: FrontOptions,
    private readonly shutDown: () => void,
  ) {
    this.open = new OpenRequests(house);
    this.models = new LoadedModels(house, this.open);
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
      [['load', 'load_model'], (asked, hear) => this.models.load(asked, hear)],
      [['unload', 'unload_model'], async (asked) => Promise.resolve(this.models.unload(asked))],
      [['cleanup_memory', 'clear_cache'], () => Promise.resolve(this.models.unloadAll())],
      [['list_models', 'models'], () => Promise.resolve(this.models.listed())],
      [['status', 'get_status', 'health', 'initialize'], () => this.status()],
      [['capabilities', 'get_capabilities'], () => Promise.resolve(this.capabilities())],
      [['cancel', 'cancel_request'], (asked) => this.open.cancel(asked)],
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
    const { files, texts, seconds, warnings } = await this.open.run(task, id, hear);
    this.models.used(plans.flatMap(({ checkpoint, refiner }) => [checkpoint, refiner]));
    return {
      ...resultOf(files, seconds, warnings),
      ...(last.wantsBytes && {
        image_data: await Promise.all(
          files.map(async ({ path }) => (await readFile(path)).toString('base64')),
        ),
      }),
      // As diffusers' pipelines answer, where a safety checker was asked.
      ...(last.safetyChecker !== undefined && (JSON.parse(texts[0] ?? '{}') as object)),
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
    const { files, seconds, warnings } = await this.open.run(
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

  private async status(): Promise<object> {
    const { jobs } = this.house;
    const open = this.open.list;
    const running = open.filter(({ state }) => state === 'running');
    const [engine] = jobs.engineStates;
    return {
      status: jobs.isStopping ? 'stopping' : open.length > 0 ? 'busy' : 'idle',
      is_available: !jobs.isStopping,
      engine: engine?.state ?? 'down',
      devices: this.house.premises().devices,
      queued: open.length - running.length,
      running: running.length,
      requests: open.map(({ id, state }) => ({ id: id?.value ?? null, state })),
      loaded_models: this.models.names,
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
        safety_checker: this.house.premises().folders.list('safety_checker').length > 0,
        auto_contrast: false,
      },
      max_resolution: 16_384,
      max_batch_size: 64,
    };
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

/** Runs OpenAI's requests as jobs. */
import { randomUUID } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { loadSharp } from '../../imaging/load-sharp.js';
import type { JobNotice } from '../../jobs/events.js';
import type { JobOutcome } from '../../jobs/job.js';
import { Refusal } from '../../jobs/queue.js';
import { nearestHint } from '../../nearest-names.js';
import type { SavedFile } from '../../nodes/results.js';
import type { Artifact } from '../../store/artifact.js';
import { shorten } from '../../safe-text.js';
import { describeReport } from '../../workflow/faults.js';
import { submitAndFollow } from '../follow-job.js';
import type { FrontOptions } from '../front.js';
import { nativeSize } from '../native-size.js';
import { OpenAiFault } from './fault.js';
import { formatOf } from './replies.js';
import { sizeOf, stepsOf, type ImageRequest, type ImageSize } from './request.js';
import { workflowOf, type EditedPicture, type ImagePlan } from './workflow.js';

/** Names of OpenAI's own models mean the daemon's default. */
const THEIRS = /^(?:gpt-image|dall-e|chatgpt-image)/;

export const FRONT = 'openai';

export interface OpenAiJob {
  readonly id: string;
  readonly size: ImageSize;
  /** Rejects with `OpenAiFault`. */
  readonly pictures: Promise<readonly SavedFile[]>;
}

export class OpenAiDesk {
  constructor(private readonly house: FrontOptions) {}

  /** Submits a request's job. Throws `OpenAiFault`. */
  async submit(
    request: ImageRequest,
    edits: (EditedPicture & ImageSize) | undefined,
    hear: (notice: JobNotice) => void,
  ): Promise<OpenAiJob> {
    const plan = await this.plan(request, edits);
    const { workflow, sampler } = workflowOf(request, plan);
    const report = await this.house.checker.check(workflow);
    if (report !== undefined) throw new OpenAiFault(400, shorten(describeReport(report), 2000));
    const count = request.n ?? 1;
    const id = randomUUID();
    const job = {
      id,
      client: { front: FRONT, ...(typeof request.user === 'string' && { id: request.user }) },
      priority: 0,
      task: {
        workflow,
        needsPicture: true,
        ...(count > 1 && { series: { count, varying: [{ node: sampler, input: 'seed' }] } }),
      },
      load: {
        model: plan.checkpoint,
        pixels: plan.width * plan.height,
        steps: stepsOf(request),
        images: count,
      },
      metadata: {},
    };
    const followed = await submitAndFollow(this.house.jobs, job, hear).catch((cause: unknown) => {
      throw cause instanceof Refusal ? new OpenAiFault(cause.status, cause.message) : cause;
    });
    return { id, size: plan, pictures: followed.over.then(picturesOf) };
  }

  /** For a client that went away. */
  async cancel(id: string): Promise<void> {
    await this.house.jobs.cancel(id);
  }

  /** What an earlier job drew, for its address. Undefined for what isn't there. */
  async find(id: string, index: number): Promise<SavedFile | undefined> {
    const record = await this.house.jobs.find(id);
    if (record?.client.front !== FRONT || record.outcome?.state !== 'completed') return undefined;
    return picturesOf(record.outcome)[index];
  }

  /** The address of a stored picture, where it has one and is wanted as it is. */
  async signed(artifact: Artifact | undefined, fields: ImageRequest): Promise<string | undefined> {
    const { store, settings } = this.house;
    if (artifact === undefined || formatOf(fields) !== 'png') return undefined;
    return store?.url(artifact, settings.urlLifetime);
  }

  async models(): Promise<readonly object[]> {
    const { folders } = this.house.premises();
    return Promise.all(folders.list('checkpoints').map((name) => this.model(name)));
  }

  /** Throws `OpenAiFault` (404). */
  async model(name: string): Promise<object> {
    const { folders } = this.house.premises();
    const listed = this.findCheckpoint(name);
    if (listed === undefined) throw this.notFound(name);
    const { mtimeMs } = await stat(folders.resolve('checkpoints', listed));
    return { id: idOf(listed), object: 'model', created: Math.floor(mtimeMs / 1000), owned_by: 'latentd' };
  }

  private async plan(
    request: ImageRequest,
    edits: (EditedPicture & ImageSize) | undefined,
  ): Promise<ImagePlan> {
    const checkpoint = await this.checkpoint(request.model ?? '');
    const { folders } = this.house.premises();
    const asked = sizeOf(request.size);
    const size =
      asked ??
      (edits === undefined ? await nativeSize(folders, checkpoint) : await this.fit(edits, checkpoint));
    const seed = request.seed ?? Math.floor(Math.random() * 2 ** 32);
    return { checkpoint, seed, edits, width: size.width, height: size.height };
  }

  /** An edit's `auto` is the picture's shape, in about as many pixels as the checkpoint draws best. */
  private async fit({ width, height }: ImageSize, checkpoint: string): Promise<ImageSize> {
    const native = await nativeSize(this.house.premises().folders, checkpoint);
    const scale = Math.min(1, Math.sqrt((native.width * native.height) / (width * height)));
    const toEight = (side: number) => Math.min(4096, Math.max(16, Math.round((side * scale) / 8) * 8));
    return { width: toEight(width), height: toEight(height) };
  }

  private async checkpoint(model: string): Promise<string> {
    const listed = this.findCheckpoint(model);
    if (listed !== undefined) return listed;
    const { defaultModel, strictModels } = this.house.premises();
    if (model !== '' && (!THEIRS.test(model) || strictModels)) throw this.notFound(model);
    const chosen = defaultModel ?? (await this.house.checker.chooseCheckpoint());
    if (chosen === undefined) throw this.notFound(model);
    return this.findCheckpoint(chosen) ?? chosen;
  }

  private findCheckpoint(name: string): string | undefined {
    const names = this.house.premises().folders.list('checkpoints');
    return names.find((each) => each === name) ?? names.find((each) => idOf(each) === name);
  }

  private notFound(model: string): OpenAiFault {
    const names = this.house.premises().folders.list('checkpoints').map(idOf);
    const hint =
      names.length === 0 ? ': there is no checkpoint in the models folder' : nearestHint(model, names);
    return new OpenAiFault(404, `The model '${shorten(model)}' does not exist${hint}`, {
      param: 'model',
      code: 'model_not_found',
    });
  }
}

/** A checkpoint's name without its extension. */
function idOf(file: string): string {
  return file.replace(/\.[^./]+$/, '');
}

function picturesOf({ state, error, outputs }: JobOutcome): readonly SavedFile[] {
  if (state === 'cancelled') throw new OpenAiFault(500, 'the job was cancelled');
  if (state === 'failed') throw new OpenAiFault(500, shorten(error ?? 'the job failed', 2000));
  return outputs.flatMap(({ ui }) => ui.images ?? []);
}

/** A file as the client wants it. */
export async function encoded(
  path: string,
  {
    output_format: format,
    output_compression: quality,
  }: Pick<ImageRequest, 'output_format' | 'output_compression'>,
): Promise<Buffer> {
  const bytes = await readFile(path);
  if (format === null || format === undefined || format === 'png') return bytes;
  const sharp = await loadSharp();
  const picture = sharp(bytes);
  const options = { quality: Math.max(1, quality ?? 100) };
  return format === 'jpeg' ? picture.jpeg(options).toBuffer() : picture.webp(options).toBuffer();
}

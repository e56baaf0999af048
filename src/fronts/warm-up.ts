/** Models that are loaded before anybody is sent here. */
import { randomUUID } from 'node:crypto';
import type { Job } from '../jobs/job.js';
import type { Jobs } from '../jobs/jobs.js';
import type { Folders } from '../models/folders/folders.js';
import { submitAndFollow } from './follow-job.js';
import { WorkflowWriter } from './workflow-writer.js';

const SMALLEST = 64;

/** Before all that wait. */
const PRIORITY = 1_000_000;

/** Uses every part of a checkpoint once, for as little as can be drawn; what it shows is kept nowhere. */
export function warmUpWorkflow(checkpoint: string): Pick<Job, 'task' | 'load'> {
  const writer = new WorkflowWriter();
  const loader = writer.node('CheckpointLoaderSimple', { ckpt_name: checkpoint });
  const text = writer.add('CLIPTextEncode', { clip: [loader, 1], text: '' });
  const samples = writer.add('KSampler', {
    model: [loader, 0],
    positive: text,
    negative: text,
    seed: 0,
    steps: 1,
    cfg: 1,
    sampler_name: 'euler',
    scheduler: 'normal',
    latent_image: writer.add('EmptyLatentImage', { width: SMALLEST, height: SMALLEST, batch_size: 1 }),
    denoise: 1,
  });
  writer.node('PreviewImage', { images: writer.add('VAEDecode', { samples, vae: [loader, 2] }) });
  const load = { model: checkpoint, pixels: SMALLEST * SMALLEST, steps: 1, images: 1 };
  return { task: { workflow: writer.text() }, load };
}

/** Loads models, and says which of them aren't yet, and why. */
export class WarmUp {
  private readonly waiting = new Map<string, string>();

  constructor(
    private readonly jobs: Jobs,
    models: readonly string[],
  ) {
    for (const model of models) this.waiting.set(model, 'it is being loaded');
  }

  /** Models that aren't loaded, with the reason. */
  get lacking(): readonly { readonly model: string; readonly why: string }[] {
    return [...this.waiting].map(([model, why]) => ({ model, why }));
  }

  /** A picture with each, as many as there are engines. Never rejects. */
  async begin({
    folders,
    devices,
  }: {
    readonly folders: Pick<Folders, 'list'>;
    readonly devices: readonly string[];
  }): Promise<void> {
    const names = folders.list('checkpoints');
    await Promise.all(
      [...this.waiting.keys()].map(async (model) => {
        try {
          const name = names.find((each) => each === model || each.startsWith(`${model}.`));
          if (name === undefined) throw new Error('it is not in the models folder');
          await Promise.all(devices.map(() => this.load(name)));
          this.waiting.delete(model);
        } catch (error) {
          this.waiting.set(model, error instanceof Error ? error.message : String(error));
        }
      }),
    );
  }

  private async load(model: string): Promise<void> {
    const job = {
      id: `warm-up-${randomUUID()}`,
      client: { front: 'warm-up' },
      priority: PRIORITY,
      metadata: {},
      ...warmUpWorkflow(model),
    };
    const { over } = await submitAndFollow(this.jobs, job);
    const { state, error } = await over;
    if (state !== 'completed') throw new Error(error ?? state);
  }
}

/** Writes a small picture of the latent every few steps, beside the sampling. */
import { join } from 'node:path';
import type { Tensor } from '../compute/tensor.js';
import type { LatentRgb } from '../nodes/context.js';
import type { RunEvent } from '../workflow/events.js';
import { writePreview } from './preview.js';

/** Previews of a short sampling, about. */
const PREVIEWS_A_RUN = 6;

/** Steps between two previews, at most. */
const MAX_STEPS_BETWEEN = 5;

/** Milliseconds between two: more would only take time from the sampling. */
const MIN_INTERVAL_MS = 250;

type StepEvent = Extract<RunEvent, { readonly type: 'progress' }>;

export class Previews {
  private writing: Promise<void> | undefined;
  private lastAt = -Infinity;
  private count = 0;

  constructor(
    private readonly folder: string,
    /** Which of the job's workflows they are of. */
    private readonly workflow: number,
    private readonly tell: (preview: {
      readonly node: string;
      readonly path: string;
      readonly step: number;
    }) => void,
  ) {}

  /** Begins a preview where one is due and the last is done; the final step is for the picture itself. */
  see({ node, step, total_steps: total, preview }: StepEvent): void {
    const every = Math.min(MAX_STEPS_BETWEEN, Math.max(1, Math.round(total / PREVIEWS_A_RUN)));
    const { denoised, latentRgb } = preview ?? {};
    if (denoised === undefined || latentRgb === undefined || this.writing !== undefined) return;
    if (step % every !== 0 || step === total || performance.now() - this.lastAt < MIN_INTERVAL_MS) return;
    this.lastAt = performance.now();
    this.writing = this.write(denoised, latentRgb, { node, step }).finally(() => {
      this.writing = undefined;
    });
  }

  /** Resolves when nothing is being written any more. */
  async settle(): Promise<void> {
    await this.writing;
  }

  private async write(
    denoised: Tensor,
    latentRgb: LatentRgb,
    about: Pick<StepEvent, 'node' | 'step'>,
  ): Promise<void> {
    const path = join(this.folder, `preview_${this.workflow}_${++this.count}.png`);
    try {
      await writePreview(denoised, latentRgb, path);
      this.tell({ ...about, path });
    } catch {
      // A preview is a courtesy; a full disk shows in the job's own output soon enough.
    }
  }
}

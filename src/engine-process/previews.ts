/** Writes a small picture of the latent every few steps, beside the sampling. */
import { join } from 'node:path';
import type { RunEvent } from '../workflow/events.js';
import type { PreviewPainter, StepPreview } from './preview.js';

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
    private readonly paint: PreviewPainter | undefined,
    private readonly tell: (preview: {
      readonly node: string;
      readonly path: string;
      readonly step: number;
    }) => void,
  ) {}

  /** Begins a preview where one is due and the last is done; the final step is for the picture itself. */
  see({ node, step, total_steps: total, preview }: StepEvent): void {
    const every = Math.min(MAX_STEPS_BETWEEN, Math.max(1, Math.round(total / PREVIEWS_A_RUN)));
    if (this.paint === undefined || preview === undefined || this.writing !== undefined) return;
    if (step % every !== 0 || step === total || performance.now() - this.lastAt < MIN_INTERVAL_MS) return;
    this.lastAt = performance.now();
    this.writing = this.write(this.paint, preview, { node, step }).finally(() => {
      this.writing = undefined;
    });
  }

  /** Resolves when nothing is being written any more. */
  async settle(): Promise<void> {
    await this.writing;
  }

  private async write(
    paint: PreviewPainter,
    preview: StepPreview,
    about: Pick<StepEvent, 'node' | 'step'>,
  ): Promise<void> {
    const path = join(this.folder, `preview_${this.workflow}_${++this.count}.png`);
    try {
      if (await paint(preview, path)) this.tell({ ...about, path });
    } catch {
      // A preview is a courtesy; a full disk shows in the job's own output soon enough.
    }
  }
}

/** What a request comes to: a workflow, how often it is run, and what is told of each picture. */
import type { Series, VaryingInput } from '../../engine-process/task.js';
import type { JobLoad } from '../../jobs/job.js';
import type { Link, WorkflowWriter } from '../workflow-writer.js';
import type { KnownOptions } from './options.js';
import type { DrawRequest } from './request.js';
import { isControlNet } from './controlnet.js';
import { HttpFault } from './fault.js';

/** Lines of infotext in A1111's order; undefined ones are left out. */
export type InfoFields = Readonly<Record<string, string | number | undefined>>;

export interface Drawing {
  /** In ComfyUI's API format, for the first picture. */
  readonly workflow: string;
  readonly series: Series | undefined;
  readonly load: JobLoad;
  /** Sampling runs a picture takes. */
  readonly passes: number;
  /** Of every picture. */
  readonly seeds: readonly number[];
  readonly fields: InfoFields;
  readonly options: KnownOptions;
  readonly checkpoint: string;
  readonly samplerLabel: string;
}

/** A seed where none is given: A1111 draws from 0 to 2³² − 3. */
export function drawnSeed(seed: number | null, random: () => number): number {
  return seed === null || seed === -1 ? Math.floor(random() * 4_294_967_294) : seed;
}

/** What clients ask for that there isn't here is refused rather than left out. Throws `HttpFault` (422). */
export function refuseWhatIsNot(request: DrawRequest): void {
  const refuse = (what: string) => {
    throw new HttpFault(422, what);
  };
  if (request.script_name !== null && request.script_name !== '') {
    refuse(`Script '${request.script_name.slice(0, 100)}' not found`);
  }
  for (const [name, script] of Object.entries(request.alwayson_scripts ?? {})) {
    const args = (script as { args?: unknown } | null)?.args;
    if (isControlNet(name)) continue;
    if (Array.isArray(args) && args.length > 0) refuse(`always on script ${name.slice(0, 100)} not found`);
  }
  if ((request.subseed_strength ?? 0) > 0) refuse('subseed_strength: there are no variation seeds here');
  if (request.tiling === true) refuse('tiling: pictures that tile are not made here');
  if (request.refiner_checkpoint !== null && !['', 'None'].includes(request.refiner_checkpoint)) {
    refuse('refiner_checkpoint: there is no refiner here');
  }
}

/** Every picture draws from a seed of its own, so that each can be drawn again alone, as in A1111. */
export function seriesOf(workflow: string, count: number): Series | undefined {
  if (count === 1) return undefined;
  const nodes = JSON.parse(workflow) as Record<string, { inputs: Record<string, unknown> }>;
  const varying = Object.entries(nodes).flatMap(([node, { inputs }]): VaryingInput[] =>
    ['seed', 'noise_seed'].filter((input) => input in inputs).map((input) => ({ node, input })),
  );
  return { count, varying };
}

/** Kept in the output folder, or for its client alone. */
export function keep(writer: WorkflowWriter, images: Link, saves: boolean, prefix: string): void {
  if (saves) writer.node('SaveImage', { images, filename_prefix: prefix });
  else writer.node('PreviewImage', { images });
}

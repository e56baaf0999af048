/** Units of ControlNet in `alwayson_scripts` (Mikubill/sd-webui-controlnet, docs/api.md). */
import { z } from 'zod';
import type { Link, WorkflowWriter } from '../workflow-writer.js';
import { HttpFault } from './fault.js';
import { requireModel, type ModelListing } from './house.js';
import { shareAfterStep, type StepSpacing } from './prompt/step-share.js';
import type { Conditioned } from './sampling-nodes.js';

/** What is done to a unit's picture first; networks that find edges, depth or poses are none of these. */
export const MODULES = ['none', 'invert (from white bg & black line)'] as const;

const FITS: Readonly<Record<string, 'stretch' | 'crop' | 'fill'>> = {
  '0': 'stretch',
  '1': 'crop',
  '2': 'fill',
  'Just Resize': 'stretch',
  'Crop and Resize': 'crop',
  'Resize and Fill': 'fill',
  // Their names until 2023.
  'Scale to Fit (Inner Fit)': 'crop',
  'Envelope (Outer Fit)': 'fill',
};

const picture = z.union([z.string(), z.object({ image: z.string() }).transform(({ image }) => image)]);

const unitSchema = z.object({
  enabled: z.boolean().default(true),
  image: picture.nullish(),
  input_image: picture.nullish(),
  module: z.string().default('none'),
  model: z.string().default('None'),
  weight: z.number().min(0).max(10).default(1),
  resize_mode: z.union([z.string(), z.number()]).default('Crop and Resize'),
  guidance_start: z.number().min(0).max(1).default(0),
  guidance_end: z.number().min(0).max(1).default(1),
  control_mode: z.union([z.string(), z.number()]).default(0),
});

export interface ControlUnit {
  /** Base64; the picture of img2img where there is none. */
  readonly picture: string | undefined;
  readonly model: string;
  readonly inverts: boolean;
  readonly fit: 'stretch' | 'crop' | 'fill';
  readonly weight: number;
  /** Shares of the steps. */
  readonly start: number;
  readonly end: number;
}

/** One whose picture is where Load Image finds it. */
export interface KeptUnit extends Omit<ControlUnit, 'picture'> {
  readonly image: string;
}

export function isControlNet(script: string): boolean {
  return script.toLowerCase() === 'controlnet';
}

/** The units that are to be used. Throws `HttpFault` (422) for one that can't be, and (404) for a model that isn't there. */
export function controlUnits(
  scripts: Readonly<Record<string, unknown>> | null,
  listing: ModelListing,
): readonly ControlUnit[] {
  const named = Object.entries(scripts ?? {}).filter(([name]) => isControlNet(name));
  const args = named.flatMap(([, script]) => (script as { args?: unknown } | null)?.args ?? []);
  return args.flatMap((unit, index) => unitOf(unit, `ControlNet unit ${index}`, listing));
}

function unitOf(given: unknown, what: string, listing: ModelListing): ControlUnit[] {
  const parsed = unitSchema.safeParse(given);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new HttpFault(422, `${what}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
  }
  const unit = parsed.data;
  if (!unit.enabled || unit.model === 'None') return [];
  const module = MODULES.find((name) => name === unit.module || name.split(' ')[0] === unit.module);
  if (module === undefined) {
    throw new HttpFault(
      422,
      `${what}: there is no preprocessor ${JSON.stringify(unit.module.slice(0, 100))} here; send the picture that it makes, with module "none"`,
    );
  }
  if (![0, '0', 'Balanced'].includes(unit.control_mode)) {
    throw new HttpFault(422, `${what}: control_mode is Balanced here`);
  }
  return [
    {
      picture: unit.image ?? unit.input_image ?? undefined,
      model: requireModel(listing, 'controlnet', unit.model, 'ControlNet model'),
      inverts: module !== 'none',
      fit: FITS[String(unit.resize_mode)] ?? 'crop',
      weight: unit.weight,
      start: unit.guidance_start,
      end: unit.guidance_end,
    },
  ];
}

export interface ControlPlace {
  readonly vae: Link;
  readonly spacing: StepSpacing;
  readonly width: number;
  readonly height: number;
}

/** Prompts steered by each unit in turn. */
export function applyControls(
  writer: WorkflowWriter,
  conditioned: Conditioned,
  units: readonly KeptUnit[],
  place: ControlPlace,
): Conditioned {
  return units.reduce((steered, unit) => {
    const applied = writer.node('ControlNetApplyAdvanced', {
      positive: steered.positive,
      negative: steered.negative,
      control_net: writer.add('ControlNetLoader', { control_net_name: unit.model }),
      image: hintOf(writer, unit, place),
      strength: unit.weight,
      start_percent: startShare(unit.start, place.spacing),
      end_percent: endShare(unit.end, place.spacing),
      vae: place.vae,
    });
    return { ...steered, positive: [applied, 0], negative: [applied, 1] };
  }, conditioned);
}

function hintOf(writer: WorkflowWriter, unit: KeptUnit, { width, height }: ControlPlace): Link {
  const loaded = writer.node('LoadImage', { image: unit.image });
  const fitted = writer.add('A1111PrepareImage', {
    image: [loaded, 0],
    transparency: [loaded, 1],
    width,
    height,
    resize_mode: unit.fit,
    mask_blur_x: 0,
    mask_blur_y: 0,
    fill: false,
    only_masked: false,
    padding: 0,
    invert: false,
  });
  return unit.inverts ? writer.add('ImageInvert', { image: fitted }) : fitted;
}

/** A unit is there from the first step that is so far, to the last (scripts/hook.py, `current_sampling_percent`). */
function startShare(start: number, spacing: StepSpacing): number {
  const first = Math.ceil(start * doneSteps(spacing));
  return first === 0 ? 0 : rounded(shareAfterStep(spacing, first - 1));
}

function endShare(end: number, spacing: StepSpacing): number {
  const last = Math.floor(end * doneSteps(spacing));
  return last >= doneSteps(spacing) ? 1 : rounded(shareAfterStep(spacing, last));
}

function doneSteps({ steps, firstStep }: StepSpacing): number {
  return steps - firstStep;
}

function rounded(share: number): number {
  return Number(share.toFixed(4));
}

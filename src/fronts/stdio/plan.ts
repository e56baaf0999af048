/** From what a host asks to what can be drawn here: models by their listed names, pictures where workflows find them, sizes, a seed. */
import type { Folders } from '../../models/folders/folders.js';
import type { Premises } from '../front.js';
import { nativeSize } from '../native-size.js';
import { StdioFault } from './fault.js';
import { keepPicture } from './given-pictures.js';
import { modelName } from './model-names.js';
import { readRequest, type PictureKind, type PictureRequest } from './request.js';
import { firstStep, type PicturePlan } from './workflow.js';

export interface PlanPlace {
  readonly premises: Premises;
  /** The checkpoint of requests that name none. */
  readonly chooseCheckpoint: () => Promise<string | undefined>;
  /** 0 to below 1. */
  readonly random: () => number;
}

/** Hosts keep seeds in 32 bits with a sign. */
const SEEDS = 2 ** 31;
const MAX_STAGES = 8;

/**
 * The stages of a request. Without `stages` there is one; else each is the request with what the stage says otherwise, and goes on from the
 * picture of the one before. Throws `StdioFault`.
 */
export async function plansOf(
  parameters: Readonly<Record<string, unknown>>,
  kind: PictureKind | undefined,
  place: PlanPlace,
): Promise<readonly PicturePlan[]> {
  const { stages, ...common } = parameters;
  if (stages === undefined || stages === null) return [await planOf(readRequest(common, kind), place)];
  if (
    !Array.isArray(stages) ||
    stages.length === 0 ||
    stages.length > MAX_STAGES ||
    !stages.every(isObject)
  ) {
    throw new StdioFault('invalid_request', `stages: 1 to ${MAX_STAGES} objects are needed`, 'stages');
  }
  const [first, ...later] = stages;
  const plans = [await planOf(readRequest(withStage(common, first!), kind), place)];
  for (const stage of later) plans.push(await continued(common, stage, plans.at(-1)!, place));
  return plans;
}

/** Stages may have their values in `parameters`. */
function withStage(
  common: object,
  stage: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const { parameters, ...values } = stage;
  return { ...common, ...values, ...(isObject(parameters) ? parameters : {}) };
}

async function continued(
  common: Readonly<Record<string, unknown>>,
  stage: Readonly<Record<string, unknown>>,
  before: PicturePlan,
  place: PlanPlace,
): Promise<PicturePlan> {
  const own = withStage({}, stage);
  // What the request begins with is the first stage's; so is its base's refiner.
  const beginning = new Set(['image', 'init_image', 'input_image', 'refiner', 'refiner_model_id']);
  const shared = Object.fromEntries(Object.entries(common).filter(([name]) => !beginning.has(name)));
  const request = readRequest({ ...shared, ...own, image: 'the stage before' }, 'img2img');
  const { width = before.width, height = before.height, seed = before.seed } = request;
  const plan = await planOf({ ...request, width, height, seed, image: undefined }, place);
  return { ...plan, continues: true };
}

async function planOf(request: PictureRequest, place: PlanPlace): Promise<PicturePlan> {
  const { folders } = place.premises;
  const { model, refiner, vae, upscaler, width, height, image: given, mask } = request;
  const checkpoint = await checkpointOf(model, place);
  const image = given === undefined ? undefined : await keepPicture(folders, given, 'image');
  const size = image === undefined ? await nativeSize(folders, checkpoint) : withinGrid(image);
  const controls = await Promise.all(
    request.controls.map(async (control) => ({
      ...control,
      model: modelName(folders, 'controlnet', control.model, 'control_nets'),
      image: (await keepPicture(folders, control.image, 'control_nets')).name,
    })),
  );
  const plan: PicturePlan = {
    ...request,
    checkpoint,
    refiner: refiner && modelName(folders, 'checkpoints', refiner, 'refiner'),
    vae: vae && modelName(folders, 'vae', vae, 'vae'),
    upscaler: upscaler && modelName(folders, 'upscale_models', upscaler, 'upscaler'),
    safetyChecker: request.isChecked ? safetyCheckerOf(folders) : undefined,
    loras: request.loras.map((lora) => ({ ...lora, model: modelName(folders, 'loras', lora.model, 'lora') })),
    controls,
    width: width ?? size.width,
    height: height ?? size.height,
    seed: request.seed ?? Math.floor(place.random() * SEEDS),
    image: image?.name,
    mask: mask === undefined ? undefined : (await keepPicture(folders, mask, 'mask')).name,
    continues: false,
  };
  if (firstStep(plan) >= plan.steps) {
    throw new StdioFault(
      'invalid_request',
      `strength: of ${plan.steps} steps none is left at this strength; strength times steps has to be 1 at least`,
      'strength',
    );
  }
  return plan;
}

async function checkpointOf(model: string | undefined, place: PlanPlace): Promise<string> {
  const { folders, defaultModel } = place.premises;
  if (model !== undefined) return modelName(folders, 'checkpoints', model, 'model_id');
  const chosen = defaultModel ?? (await place.chooseCheckpoint());
  if (chosen !== undefined) return modelName(folders, 'checkpoints', chosen, 'model_id');
  throw new StdioFault(
    'model_not_found',
    'model_id: there is no checkpoint in the models folder',
    'model_id',
  );
}

function withinGrid({ width, height }: { readonly width: number; readonly height: number }) {
  const toEight = (pixels: number) => Math.max(16, Math.floor(pixels / 8) * 8);
  return { width: toEight(width), height: toEight(height) };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The user's own; there is one at most that matters. */
function safetyCheckerOf(folders: Pick<Folders, 'list'>): string {
  const [found] = folders.list('safety_checker');
  if (found !== undefined) return found;
  throw new StdioFault(
    'model_not_found',
    "postprocessing.safety_checker: there is none in models/safety_checker; diffusers' safety_checker/model.safetensors is wanted there",
    'postprocessing.safety_checker',
  );
}

/** ControlNets of SD 1.x, 2.x and SDXL (ComfyUI comfy/controlnet.py, ControlNet). */
import { tensor, type Tensor } from '../../../compute/tensor.js';
import { concatRows, takeRows } from '../../../imaging/tensor-ops.js';
import type { ControlledEvaluation, ControlResiduals } from '../../denoiser/control.js';
import { timestepEmbedding } from '../../denoiser/timestep-embedding.js';
import { ModelError } from '../../model-error.js';
import { graphOf } from '../../programs/model-graph.js';
import type { ProgramCache } from '../../programs/program-cache.js';
import type { UnetEncoderConfig } from '../../unet/config.js';
import { detectUnetEncoder } from '../../unet/detect.js';
import type { WeightSource } from '../../weights/weight-source.js';
import type { ControlNetwork, ControlPicture, ShownControl } from '../control-network.js';
import { eachRow, fittedHint, hintRows, hintsSeen, pixelsOf } from '../hints.js';
import { mapResiduals } from '../steering.js';
import { buildControlGraph, buildHintGraph, isUnion, KIND_WIDTH } from './graphs.js';
import { UNION_KINDS } from './union-kinds.js';

export interface ControlNetParts {
  /** Changes when its file does. */
  readonly identity: string;
  /** Its weights by its own keys, of which some files hold a part alone. */
  readonly weightsFor: (model: WeightSource) => WeightSource;
  /** What it adds is the same everywhere: its mean. */
  readonly averaged: boolean;
  readonly programs: ProgramCache;
  /** Its weights are changes of the denoiser's. */
  readonly borrows?: boolean;
  /** Of a union: the number of the kind of picture that it is shown. */
  readonly kind?: number | undefined;
}

/** A ControlNet's weights, and what can be told of them. */
interface Opened {
  readonly weights: WeightSource;
  readonly config: UnetEncoderConfig;
  /** How many kinds a union knows; undefined for others. */
  readonly kinds: number | undefined;
}

export function createControlNet(parts: ControlNetParts): ControlNetwork {
  const { identity, averaged } = parts;
  return {
    identity: [identity, ...(parts.kind === undefined ? [] : [`kind ${parts.kind}`])].join(' '),
    weightedBy: parts.borrows === true ? 'nothing' : 'skips',
    takesMask: false,
    withKind: (kind) => createControlNet({ ...parts, kind }),
    show(picture) {
      const shown = new ShownControlNet(parts, picture);
      if (!averaged) return shown;
      return {
        residuals: async (evaluation) => mapResiduals(await shown.residuals(evaluation), averagedOver),
      };
    },
  };
}

class ShownControlNet implements ShownControl {
  private opened: Opened | undefined;
  private guided: { readonly key: string; readonly rows: Promise<Tensor> } | undefined;

  constructor(
    private readonly parts: ControlNetParts,
    private readonly picture: ControlPicture,
  ) {}

  async residuals(evaluation: ControlledEvaluation): Promise<ControlResiduals> {
    const opened = this.open(evaluation.weights);
    const { weights, config, kinds } = opened;
    const { x, sigma, sampling, inputs } = evaluation;
    const [rows = 1] = x.shape;
    requireInputs(opened, evaluation, this.parts.kind);
    const time = sampling.levels.sigmaToTimestep(sigma);
    const given = {
      x: evaluation.scaled,
      time_embedding: timestepEmbedding(new Float32Array(rows).fill(time), config.modelChannels),
      guided: hintRows(await this.guidedHint(opened, evaluation), evaluation),
      ...(config.contextDim === 0 ? {} : { context: inputs['context']! }),
      ...(config.admChannels === undefined ? {} : { adm: inputs['adm']! }),
      ...(kinds === undefined ? {} : { kinds: this.kindEmbedding(kinds, rows) }),
    };
    return this.parts.programs.use(
      `controlnet ${weights.identity}`,
      () => graphOf(weights, () => buildControlGraph(config, weights)),
      (program) => program.run(given),
    );
  }

  private open(model: WeightSource): Opened {
    const weights = this.parts.weightsFor(model);
    if (this.opened?.weights.identity !== weights.identity) this.opened = opened(weights);
    return this.opened;
  }

  /** What the picture adds to the first block, for as many hints as the evaluation sees. Kept for evaluations of the same size. */
  private async guidedHint(opened: Opened, evaluation: ControlledEvaluation): Promise<Tensor> {
    const [height, width] = pixelsOf(evaluation);
    const { image } = this.picture;
    const seen = hintsSeen(image.shape[0]!, evaluation);
    const key = `${opened.weights.identity} ${height} ${width} ${seen}`;
    if (this.guided?.key !== key) {
      const hint = fittedHint(takeRows(image, 0, seen), height, width);
      this.guided = { key, rows: this.throughHintBlock(opened, hint) };
    }
    return this.guided.rows;
  }

  private async throughHintBlock({ weights, config, kinds }: Opened, hint: Tensor): Promise<Tensor> {
    const { programs, kind } = this.parts;
    const ofKind = kinds !== undefined && kind !== undefined;
    const embedding = ofKind
      ? { kind: tensor([1, config.modelChannels], weights.rows('task_embedding', kind, 1)) }
      : {};
    return programs.use(
      `controlnet hint ${ofKind} ${weights.identity}`,
      () => graphOf(weights, () => buildHintGraph(config, weights, ofKind)),
      async (program) => {
        const guided = await eachRow(
          hint,
          async (row) => (await program.run({ hint: row, ...embedding }))['guided']!,
        );
        return guided.reduce(concatRows);
      },
    );
  }

  /** Which of its kinds a union sees, as an embedding of ones and zeros (ControlAddEmbedding). */
  private kindEmbedding(kinds: number, rows: number): Tensor {
    const { kind } = this.parts;
    const marks = new Float32Array(kinds);
    if (kind !== undefined) marks[kind] = 1;
    const embedded = timestepEmbedding(marks, KIND_WIDTH).data;
    const all = tensor([rows, embedded.length]);
    for (let row = 0; row < rows; row++) all.data.set(embedded, row * embedded.length);
    return all;
  }
}

function opened(weights: WeightSource): Opened {
  const config = detectUnetEncoder(weights);
  if (config === undefined) {
    throw new ModelError(
      `${weights.path} lacks a ControlNet's first block, input_blocks.0.0.weight, or its time_embed`,
    );
  }
  const kinds = isUnion(weights) ? weights.weight('task_embedding').shape[0]! : undefined;
  return { weights, config, kinds };
}

function requireInputs(
  { weights, config, kinds }: Opened,
  { x, inputs }: ControlledEvaluation,
  kind: number | undefined,
): void {
  const wrong = (what: string): never => {
    throw new ModelError(`${weights.path} is a ControlNet for another model: ${what}`);
  };
  const width = inputs['context']?.shape.at(-1) ?? 0;
  if (config.contextDim !== 0 && width !== config.contextDim) {
    wrong(`it takes text encodings of width ${config.contextDim}, this model's have ${width}`);
  }
  if (config.admChannels !== undefined && inputs['adm']?.shape.at(-1) !== config.admChannels) {
    wrong(`it takes pooled text and sizes of width ${config.admChannels}, as SDXL's are`);
  }
  if (x.shape[1] !== config.inChannels) {
    wrong(`it takes latents of ${config.inChannels} channels, this model's have ${x.shape[1]}`);
  }
  if (kinds !== undefined && kind !== undefined && kind >= kinds) {
    throw new ModelError(
      `${weights.path} knows ${kinds} kinds of pictures, ${UNION_KINDS[kind]} isn't one of them: the ProMax union knows it`,
    );
  }
}

function averagedOver(residual: Tensor): Tensor {
  const [rows = 1, channels = 1, ...extents] = residual.shape;
  const area = extents.reduce((product, extent) => product * extent, 1);
  const mean = tensor(residual.shape);
  for (let plane = 0; plane < rows * channels; plane++) {
    let sum = 0;
    for (let at = plane * area; at < (plane + 1) * area; at++) sum += residual.data[at]!;
    mean.data.fill(sum / area, plane * area, (plane + 1) * area);
  }
  return mean;
}

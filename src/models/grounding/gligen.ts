/** Li et al., "GLIGEN: Open-Set Grounded Text-to-Image Generation", 2023 (ComfyUI comfy/gligen.py). */
import { tensor, type Tensor } from '../../compute/tensor.js';
import type { GroundedBox, GroundingBlock, GroundingModel } from '../denoiser/grounding.js';
import { ModelError } from '../model-error.js';
import type { WeightSource } from '../weights/weight-source.js';
import { valuesOf } from '../weights/weight-values.js';

const mostPlaces = 30;
const sinusoids = 8;
const temperature = 100;
/** Of the models of SD 1.x; those of wider texts have heads of 64 channels. */
const headsOfSd1 = 8;
const widthOfSd1 = 768;
const headChannels = 64;

/** Throws `ModelError` for a file that is none. */
export function createGroundingModel(weights: WeightSource): GroundingModel {
  if (!weights.has('position_net.null_positive_feature')) {
    throw new ModelError(`${weights.path} is no GLIGEN model: it lacks position_net.null_positive_feature`);
  }
  const identity = `gligen ${weights.identity}`;
  const blocks = blocksOf(weights);
  let network: PositionNetwork | undefined;
  return {
    identity,
    weights,
    blocks,
    tokens(boxes, height, width) {
      if (boxes.length > mostPlaces) {
        throw new ModelError(`GLIGEN places ${mostPlaces} texts at most, this prompt has ${boxes.length}`);
      }
      network ??= new PositionNetwork(weights);
      return network.tokens(boxes, height, width);
    },
    toJSON: () => identity,
  };
}

/** Of input, middle and output blocks, those that have layers. */
function blocksOf(weights: WeightSource): GroundingBlock[] {
  const paths = new Map<string, string>();
  for (const key of weights.keys()) {
    const [, path, part, block] =
      /^(.*(input_blocks|middle_block|output_blocks)\.(\d+)\..*\.fuser)\./.exec(key) ?? [];
    if (path !== undefined) paths.set(`${part}.${block}`, path);
  }
  const order = ['input_blocks', 'middle_block', 'output_blocks'];
  const place = (name: string): number => {
    const [part = '', block = ''] = name.split('.');
    return order.indexOf(part) * 100 + Number(block);
  };
  return [...paths]
    .sort(([a], [b]) => place(a) - place(b))
    .map(([, path]) => {
      const [query = 0, key = 0] = weights.weight(`${path}.linear.weight`).shape;
      return { path, heads: key === widthOfSd1 ? headsOfSd1 : query / headChannels };
    });
}

/** What makes a token of a text and its rectangle: 30 of them, whatever there is. */
class PositionNetwork {
  private readonly noText: Float32Array;
  private readonly noPlace: Float32Array;
  private readonly layers: readonly { readonly weight: Float32Array; readonly bias: Float32Array }[];

  constructor(private readonly weights: WeightSource) {
    const values = (key: string): Float32Array => valuesOf(weights.weight(`position_net.${key}`));
    this.noText = values('null_positive_feature');
    this.noPlace = values('null_position_feature');
    this.layers = [0, 2, 4].map((index) => ({
      weight: values(`linears.${index}.weight`),
      bias: values(`linears.${index}.bias`),
    }));
  }

  tokens(boxes: readonly GroundedBox[], height: number, width: number): Tensor {
    const absent = this.through([...this.noText, ...this.noPlace]);
    const rows = boxes.map((box) => {
      const { text } = box;
      if (text.data.length !== this.noText.length) {
        throw new ModelError(
          `${this.weights.path} takes texts of width ${this.noText.length}, this one has ${text.data.length}: encode it with the text encoder of SD 1.x`,
        );
      }
      const corners = [
        box.x / width,
        box.y / height,
        (box.x + box.width) / width,
        (box.y + box.height) / height,
      ].map(Math.fround);
      return this.through([...text.data, ...placed(corners)]);
    });
    const result = tensor([1, mostPlaces, absent.length]);
    for (let place = 0; place < mostPlaces; place++) {
      result.data.set(rows[place] ?? absent, place * absent.length);
    }
    return result;
  }

  private through(input: readonly number[]): Float32Array {
    return this.layers.reduce<Float32Array>((values, { weight, bias }, layer) => {
      const result = Float32Array.from(bias, (offset, row) => {
        let sum = offset;
        const start = row * values.length;
        for (let column = 0; column < values.length; column++)
          sum += weight[start + column]! * values[column]!;
        return sum;
      });
      return layer === this.layers.length - 1
        ? result
        : result.map((value) => value / (1 + Math.exp(-value)));
    }, Float32Array.from(input));
  }
}

/** Sines and cosines of corners, frequency by frequency. */
function placed(corners: readonly number[]): number[] {
  return Array.from({ length: sinusoids }, (_, index) => {
    const frequency = Math.fround(temperature ** (index / sinusoids));
    const angles = corners.map((corner) => Math.fround(frequency * corner));
    return [...angles.map(Math.sin), ...angles.map(Math.cos)];
  }).flat();
}

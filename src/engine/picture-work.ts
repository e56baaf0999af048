/** What a picture takes to draw, counted from the header of its checkpoint: nothing is loaded and nothing runs. */
import { statSync } from 'node:fs';
import { graphCost } from '../compute/cost.js';
import type { DimBindings } from '../compute/dim.js';
import type { Graph } from '../compute/graph.js';
import { elementCount } from '../compute/tensor.js';
import { controlLora, LORA_MARK } from '../models/control/controlnet/borrowed-weights.js';
import { buildControlGraph } from '../models/control/controlnet/graphs.js';
import { controlNetLayout } from '../models/control/controlnet/layouts.js';
import { recogniseCheckpoint } from '../models/families/recognise.js';
import { openModelFile } from '../models/files/model-file.js';
import { safetensorsWeights } from '../models/files/safetensors-weights.js';
import { detectUnetEncoder } from '../models/unet/detect.js';
import { readAutoencoder } from '../models/vae/autoencoder.js';
import type { WeightSource } from '../models/weights/weight-source.js';

export interface PartWork {
  readonly flops: number;
  /** How many operations these are in. */
  readonly operations: number;
}

export interface CountedWork {
  /** Of the file. */
  readonly bytes: number;
  /** Of a prompt and a negative one. */
  readonly encoding: PartWork;
  /** Of one step. */
  readonly step: PartWork;
  readonly decoding: PartWork;
}

export interface PictureCanvas {
  /** Width times height of the picture. The sides' own lengths matter little. */
  readonly pixels: number;
  /** Whether a negative prompt is evaluated, too. */
  readonly guided: boolean;
}

/** Tokens of a prompt of ordinary length. */
const TOKENS = 77;
const PROMPTS = 2;

/** Throws `ModelError` for a file that is no checkpoint of a known family. */
export function pictureWork(
  path: string,
  { pixels, guided }: PictureCanvas,
  /** Files of ControlNets that steer each step, one for each time that it is applied. */
  controls: readonly string[] = [],
): CountedWork {
  const opened = openModelFile(path);
  try {
    const { denoiser, text, vae } = recogniseCheckpoint(safetensorsWeights(opened));
    const side = Math.max(1, Math.round(Math.sqrt(pixels) / denoiser.latentFormat.downscale));
    const latent = { H: side, W: side };
    const step = { ...latent, N: guided ? 2 : 1, T: TOKENS };
    return {
      bytes: statSync(path).size,
      encoding: sumOf(Object.values(text?.weights ?? {}).map(encodingWork)),
      step: sumOf([
        workOf(denoiser.network.graph(denoiser.weights), step),
        ...controls.map((control) => controlWork(control, denoiser.weights, step)),
      ]),
      decoding:
        vae === undefined
          ? { flops: 0, operations: 0 }
          : workOf(readAutoencoder(vae).networks.decoder.build(), { ...latent, N: 1 }),
    };
  } finally {
    opened.file.close();
  }
}

/** Of one evaluation beside the denoiser's; what is computed once a picture (T2I-Adapters) is little. */
function controlWork(path: string, denoiser: WeightSource, dims: DimBindings): PartWork {
  const opened = openModelFile(path);
  try {
    const file = safetensorsWeights(opened);
    const weights = file.has(LORA_MARK) ? controlLora(denoiser, file) : controlNetLayout(file);
    const config = weights && detectUnetEncoder(weights);
    if (weights === undefined || config === undefined) return { flops: 0, operations: 0 };
    return workOf(buildControlGraph(config, weights), dims);
  } finally {
    opened.file.close();
  }
}

function workOf(graph: Graph, dims: DimBindings): PartWork {
  return { flops: graphCost(graph, dims).flops, operations: graph.nodes.length };
}

/** Each number of a matrix meets each token once, in a multiplication and an addition; attention is little beside that. */
function encodingWork(weights: WeightSource): PartWork {
  let numbers = 0;
  let matrices = 0;
  for (const key of weights.keys()) {
    const { shape } = weights.weight(key);
    if (shape.length !== 2 || key.includes('embedding')) continue;
    numbers += elementCount(shape);
    matrices++;
  }
  return { flops: 2 * numbers * TOKENS * PROMPTS, operations: matrices * PROMPTS };
}

function sumOf(parts: readonly PartWork[]): PartWork {
  return {
    flops: parts.reduce((sum, { flops }) => sum + flops, 0),
    operations: parts.reduce((sum, { operations }) => sum + operations, 0),
  };
}

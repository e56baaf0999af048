/** T2I-Adapters as controls (ComfyUI comfy/controlnet.py, T2IAdapter). */
import type { Tensor } from '../../../compute/tensor.js';
import { tensor } from '../../../compute/tensor.js';
import { concatRows, takeRows } from '../../../imaging/tensor-ops.js';
import type { ControlledEvaluation, ControlResiduals } from '../../denoiser/control.js';
import { graphOf } from '../../programs/model-graph.js';
import type { ProgramCache } from '../../programs/program-cache.js';
import type { WeightSource } from '../../weights/weight-source.js';
import { derived } from '../../weights/weight-views.js';
import type { ControlNetwork, ControlPicture, ShownControl } from '../control-network.js';
import { eachRow, fittedHint, hintRows, hintsSeen, pixelsOf } from '../hints.js';
import { mapResiduals } from '../steering.js';
import { adapterLayout, buildAdapterGraph, type AdapterLayout } from './graphs.js';

/** The adapter in a file; undefined where there is none. */
export function createT2IAdapter(file: WeightSource, programs: ProgramCache): ControlNetwork | undefined {
  const weights = ownNames(file);
  const layout = adapterLayout(weights);
  if (layout === undefined) return undefined;
  const network: ControlNetwork = {
    identity: `t2i adapter ${weights.identity}`,
    weightedBy: 'features',
    takesMask: false,
    withKind: () => network,
    show: (picture) => new ShownAdapter({ weights, layout, programs }, picture),
  };
  return network;
}

interface AdapterParts {
  readonly weights: WeightSource;
  readonly layout: AdapterLayout;
  readonly programs: ProgramCache;
}

class ShownAdapter implements ShownControl {
  private features: { readonly key: string; readonly residuals: Promise<ControlResiduals> } | undefined;

  constructor(
    private readonly parts: AdapterParts,
    private readonly picture: ControlPicture,
  ) {}

  /** What it gives doesn't depend on the noise, and is kept for evaluations of the same size. */
  async residuals(evaluation: ControlledEvaluation): Promise<ControlResiduals> {
    const { unshuffle } = this.parts.layout;
    const [rows, columns] = pixelsOf(evaluation).map((side) => Math.ceil(side / unshuffle)) as [
      number,
      number,
    ];
    const seen = hintsSeen(this.picture.image.shape[0]!, evaluation);
    const key = [rows, columns, seen].join();
    if (this.features?.key !== key) this.features = { key, residuals: this.featuresOf(seen, rows, columns) };
    return mapResiduals(await this.features.residuals, (feature) => hintRows(feature, evaluation));
  }

  private featuresOf(seen: number, rows: number, columns: number): Promise<ControlResiduals> {
    const { weights, layout, programs } = this.parts;
    const { unshuffle, channels } = layout;
    const image = takeRows(this.picture.image, 0, seen);
    const fitted = fittedHint(image, rows * unshuffle, columns * unshuffle);
    const hint = channels === 1 ? meanOfChannels(fitted) : fitted;
    return programs.use(
      `t2i adapter ${weights.identity} ${rows}×${columns}`,
      () => graphOf(weights, () => buildAdapterGraph(weights, layout, { rows, columns })),
      async (program) => {
        const each = await eachRow(hint, (row) => program.run({ hint: row }));
        return mapResiduals(each[0]!, (_, place) =>
          each.map((features) => features[place]!).reduce(concatRows),
        );
      },
    );
  }
}

/** torch.mean over the channels of N×C×H×W. */
function meanOfChannels(planes: Tensor): Tensor {
  const [rows = 1, channels = 1, height = 1, width = 1] = planes.shape;
  if (channels === 1) return planes;
  const area = height * width;
  const mean = tensor([rows, 1, height, width]);
  for (let at = 0; at < mean.data.length; at++) {
    const start = Math.floor(at / area) * channels * area + (at % area);
    let sum = 0;
    for (let channel = 0; channel < channels; channel++)
      sum = Math.fround(sum + planes.data[start + channel * area]!);
    mean.data[at] = sum / channels;
  }
  return mean;
}

/** Its own names, of a file that has them under `adapter.`, or diffusers' (ComfyUI comfy/controlnet.py, load_t2i_adapter). */
function ownNames(file: WeightSource): WeightSource {
  const isDiffusers = file.has('adapter.body.0.resnets.0.block1.weight');
  const names = new Map<string, string>();
  for (const key of file.keys()) {
    if (!key.startsWith('adapter.')) continue;
    const name = key.slice('adapter.'.length);
    names.set(isDiffusers ? withoutResnets(name) : name, key);
  }
  return names.size === 0 ? file : derived(file, 't2i adapter', names);
}

function withoutResnets(name: string): string {
  return name
    .replace(
      /^body\.(\d+)\.resnets\.(\d+)\./,
      (_, size, block) => `block.${2 * Number(size) + Number(block)}.`,
    )
    .replace(/^body\.(\d+)\./, (_, size) => `block.${2 * Number(size)}.`)
    .replace(/^block\./, 'body.');
}

import { tensor, type Tensor } from '../../compute/tensor.js';
import { concatRows, takeRows } from '../../imaging/tensor-ops.js';
import { ModelError } from '../model-error.js';
import { graphOf } from '../programs/model-graph.js';
import type { ProgramCache } from '../programs/program-cache.js';
import type { WeightSource } from '../weights/weight-source.js';
import { openAdapterFile, type ProjectionKind } from './adapter-file.js';
import { buildKeyGraph, buildProjectionGraph, moduleCount } from './graphs.js';

/** Keys and values of words, by module, N×T×C each. */
export interface WordKeys {
  readonly key: readonly Tensor[];
  readonly value: readonly Tensor[];
}

/** What an IP-Adapter file holds. Light and immutable: weights are read at first use. */
export interface IpAdapter {
  readonly identity: string;
  readonly kind: ProjectionKind;
  /** Width of the texts of the models that it is for. */
  readonly width: number;
  /** Words N×T×C of encoded pictures: N×E as a whole of plain adapters, N×T'×E of their patches of others. */
  words(images: Tensor): Promise<Tensor>;
  keys(words: Tensor): Promise<WordKeys>;
}

/** Throws `ModelError` for a file that is none. */
export function createIpAdapter(weights: WeightSource, programs: ProgramCache): IpAdapter {
  const file = openAdapterFile(weights);
  const { identity, kind, width, path, projection } = file;
  const modules = moduleCount(file);
  return {
    identity: `ip adapter ${identity}`,
    kind,
    width,
    async words(images) {
      const first = { plain: 'proj.weight', full: 'proj.0.weight', plus: 'proj_in.weight' }[kind];
      const wanted = projection.weight(first).shape[1] ?? 0;
      const own = images.shape.at(-1) ?? 0;
      if (own !== wanted || images.shape.length !== (kind === 'plain' ? 2 : 3)) {
        throw new ModelError(
          `${path} takes pictures encoded as ${wanted} numbers, these are [${images.shape.join(', ')}]: it is made for another image encoder (CLIP H is for most, bigG for those of vit-G)`,
        );
      }
      return programs.use(
        `ip adapter words ${identity}`,
        () => graphOf(weights, () => buildProjectionGraph(file)),
        async (program) => {
          const rows: Tensor[] = [];
          for (let row = 0; row < images.shape[0]!; row++) {
            const beside = kind === 'plus' ? { latents: valuesOf(projection, 'latents') } : {};
            const made = await program.run({ images: takeRows(images, row, 1), ...beside });
            rows.push(kind === 'plain' ? joinedWords(made, width) : made['words']!);
          }
          return rows.reduce(concatRows);
        },
      );
    },
    keys: (words) =>
      programs.use(
        `ip adapter keys ${identity}`,
        () => graphOf(weights, () => buildKeyGraph(file, modules)),
        async (program) => {
          const made = await program.run({ words });
          const all = (part: string) =>
            Array.from({ length: modules }, (_, module) => made[`${part}.${module}`]!);
          return { key: all('key'), value: all('value') };
        },
      ),
  };
}

function valuesOf(source: WeightSource, key: string): Tensor {
  const weight = source.weight(key);
  const values = tensor(weight.shape);
  weight.read(values.data);
  return values;
}

function joinedWords(made: Readonly<Record<string, Tensor>>, width: number): Tensor {
  const words = Object.keys(made).length;
  const joined = tensor([1, words, width]);
  for (let word = 0; word < words; word++) joined.data.set(made[`word.${word}`]!.data, word * width);
  return joined;
}

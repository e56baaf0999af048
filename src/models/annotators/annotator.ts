/** A network that makes hints of pictures, told by its keys. */
import type { Tensor } from '../../compute/tensor.js';
import { whatItLooksLike } from '../files/what-it-looks-like.js';
import { ModelError } from '../model-error.js';
import { graphOf } from '../programs/model-graph.js';
import type { ProgramCache } from '../programs/program-cache.js';
import { underPrefix } from '../weights/weight-views.js';
import type { WeightSource } from '../weights/weight-source.js';
import { depthAnything } from './depth-anything.js';
import { hed } from './hed.js';
import { lineartAnime } from './lineart-anime.js';
import { lineart } from './lineart.js';
import { pidinet } from './pidinet.js';

const families = { hed, pidinet, lineart, lineartAnime, depthAnything } as const;

export type AnnotatorKind = keyof typeof families;

export interface Annotator {
  readonly weights: WeightSource;
  readonly multipleOf: number;
  /** 1×3×H×W, whose range is the family's, and the family's own inputs → 1×1×H×W. Rejects with `ModelError` for a damaged file. */
  annotate(x: Tensor, others?: Readonly<Record<string, Tensor>>): Promise<Tensor>;
}

/** The annotator of a kind that a file holds. Throws `ModelError` when it holds another. */
export function createAnnotator(file: WeightSource, kind: AnnotatorKind, programs: ProgramCache): Annotator {
  const prefix = 'module.';
  const isParallel = [...file.keys()].every((key) => key.startsWith(prefix));
  const weights = isParallel ? underPrefix(file, prefix) : file;
  const family = families[kind];
  if (!family.recognises(weights)) {
    const other = Object.values(families).find(({ recognises }) => recognises(weights))?.name;
    throw new ModelError(
      `${file.path} is no ${family.name}; it looks like ${other ?? whatItLooksLike(weights)}`,
    );
  }
  return {
    weights,
    multipleOf: family.multipleOf,
    async annotate(x, others = {}) {
      const { y } = await programs.use(
        `annotator ${kind} ${weights.identity}`,
        () => graphOf(weights, () => family.graph(weights)),
        (program) => program.run({ x, ...others }),
      );
      return y!;
    },
  };
}

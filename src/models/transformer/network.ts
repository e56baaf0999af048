import type { NamedTensors } from '../../compute/backend.js';
import type { Graph } from '../../compute/graph.js';
import type { Tensor } from '../../compute/tensor.js';
import type { ModelChange } from '../denoiser/changes.js';
import type { Evaluation, Network } from '../denoiser/denoiser.js';
import { graphOf } from '../programs/model-graph.js';
import type { WeightSource } from '../weights/weight-source.js';

/** What one evaluation comes to: which graph it takes, what that is given, and what its output means. */
export interface TransformerPlan<Variant> {
  readonly variant: Variant;
  readonly inputs: NamedTensors;
  /** A graph that runs before, and makes more of them. */
  readonly first?: {
    readonly name: string;
    readonly graph: (weights: WeightSource) => Graph;
    readonly inputs: NamedTensors;
    /** Its output `out` as inputs. */
    readonly take: (out: Tensor) => NamedTensors;
  };
  /** The network's raw output as a latent. */
  readonly finish: (out: Tensor) => Tensor;
}

/** A transformer: latents become tokens on the host, a graph turns tokens into tokens, and these become a latent again. */
export interface Transformer<Variant> {
  /** For programs' names: `flux`. */
  readonly name: string;
  /** The graph's variant that `Network.graph` is asked for. */
  readonly plain: Variant;
  /** A graph whose output is `out`. Variants are told apart by their JSON. */
  readonly graph: (weights: WeightSource, variant: Variant) => Graph;
  /** Throws `ModelError` for inputs that are another model's. */
  readonly plan: (evaluation: Evaluation, changes: readonly ModelChange[]) => TransformerPlan<Variant>;
}

export function transformerNetwork<Variant>({ name, plain, graph, plan }: Transformer<Variant>): Network {
  return {
    graph: (weights) => graphOf(weights, () => graph(weights, plain)),
    open: (weights, changes, programs) => ({
      async predict(evaluation) {
        const { variant, first, finish, ...planned } = plan(evaluation, changes);
        let { inputs } = planned;
        if (first !== undefined) {
          const { out } = await programs.use(
            `${first.name} ${weights.identity}`,
            () => graphOf(weights, () => first.graph(weights)),
            (program) => program.run(first.inputs),
          );
          inputs = { ...inputs, ...first.take(out!) };
        }
        const outputs = await programs.use(
          `${name} ${weights.identity} ${JSON.stringify(variant)}`,
          () => graphOf(weights, () => graph(weights, variant)),
          (program) => program.run(inputs),
        );
        return finish(outputs['out']!);
      },
    }),
  };
}

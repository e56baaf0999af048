/** Norms that the time steers: adaptive layer normalisation, for all tokens alike or for runs of them. */
import type { GraphBuilder, Value } from '../../compute/graph.js';

export interface Modulation {
  readonly shift?: Value;
  readonly scale: Value;
  readonly gate: Value;
}

/** A run of a stream's tokens, as many as `like` has, and how it is modulated. */
export interface ModulatedRun<By> {
  readonly like: Value;
  readonly by: By;
}

/** One modulation for all tokens, or two runs: the first tokens and the last. */
export type Modulated<By> = By | readonly [first: ModulatedRun<By>, last: ModulatedRun<By>];

export function isInRuns<By extends object>(
  modulation: Modulated<By>,
): modulation is readonly [ModulatedRun<By>, ModulatedRun<By>] {
  return Array.isArray(modulation);
}

/** Applies `body` to all of `x` with its modulation, or to each run of it. */
export function inRuns<By extends object>(
  graph: GraphBuilder,
  x: Value,
  modulation: Modulated<By>,
  body: (run: Value, by: By) => Value,
): Value {
  if (!isInRuns(modulation)) return body(x, modulation);
  const [first, last] = modulation;
  return graph.concat(
    [
      body(graph.takeTokens(x, first.like, 'first'), first.by),
      body(graph.takeTokens(x, last.like, 'last'), last.by),
    ],
    1,
  );
}

export function modulated(
  graph: GraphBuilder,
  x: Value,
  modulation: Modulated<Pick<Modulation, 'scale' | 'shift'>>,
): Value {
  return inRuns(graph, x, modulation, (run, { scale, shift }) => graph.modulate(run, scale, shift));
}

/** x + gate · change */
export function gated(
  graph: GraphBuilder,
  x: Value,
  change: Value,
  modulation: Modulated<Pick<Modulation, 'gate'>>,
): Value {
  return graph.add(
    x,
    inRuns(graph, change, modulation, (run, { gate }) => graph.gate(run, gate)),
  );
}

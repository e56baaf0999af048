import { CONVOLUTION_MORE_PARTS } from '../../../native/kernel-numbers.js';
import { consumersOf } from '../../fusion.js';
import type { Graph } from '../../graph.js';
import { definitionOf } from '../../operation.js';
import type { Value } from '../../value.js';

/**
 * Joined channels that only convolutions read, by the id of the joined value: these read the parts where they lie, so that
 * nothing is copied.
 */
export function planJoins(graph: Graph): ReadonlyMap<number, readonly Value[]> {
  const consumers = consumersOf(graph);
  const joins = new Map<number, readonly Value[]>();
  for (const { operation, output } of graph.nodes) {
    if (operation.kind !== 'concat' || operation.axis !== 1 || output.shape.length !== 4) continue;
    const readers = consumers.get(output.id) ?? [];
    const allReadParts = readers.every(
      (reader) =>
        reader !== undefined &&
        definitionOf(reader.operation).readsParts?.(reader.operation)?.id === output.id,
    );
    if (allReadParts && operation.values.length - 1 <= CONVOLUTION_MORE_PARTS) {
      joins.set(output.id, operation.values);
    }
  }
  return joins;
}

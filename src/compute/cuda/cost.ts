/** The multiplications and additions of a program's matrix products, which the card's rate is measured by. */
import { padded, type CudaProgram, type Instruction } from '../lowering/cuda/program.js';

/** Of one instruction; 0 for what multiplies no matrices. Padding counts for nothing. */
export function matrixFlops(instruction: Instruction, weights: CudaProgram['weights']): number {
  if (instruction.kind === 'product') {
    const { rows, columns, taps } = weights[instruction.weight]!;
    const inner = (columns / padded(instruction.x.columns) / taps) * instruction.x.columns * taps;
    return 2 * instruction.out.rows * rows * inner;
  }
  if (instruction.kind === 'attention') {
    const { query, key, batch, causal } = instruction;
    const [queries, keys] = [query.rows / batch, key.rows / batch];
    const seeing = Math.min(queries, keys);
    const pairs = causal ? (seeing * (seeing + 1)) / 2 + (queries - seeing) * keys : queries * keys;
    return 4 * batch * pairs * query.columns;
  }
  return 0;
}

export function programFlops({ instructions, weights }: CudaProgram): number {
  return instructions.reduce((sum, instruction) => sum + matrixFlops(instruction, weights), 0);
}

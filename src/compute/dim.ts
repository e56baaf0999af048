/**
 * Extents of a graph's tensors. Channels and kernel sizes are numbers, read off the checkpoint; batch, height, width and
 * token count stay symbols until the graph is run (or lowered for one shape), so that one graph serves every size.
 */

/** Concrete extents for a graph's symbols, by symbol name. */
export type DimBindings = Readonly<Record<string, number>>;

/** An extent known only at run time; two are the same extent exactly when their `text` is the same. */
export class SymbolicDim {
  private constructor(
    readonly text: string,
    private readonly evaluator: (bindings: DimBindings) => number,
    /** Of a sum, what is summed, in order. */
    readonly terms: readonly Dim[] = [],
  ) {}

  static symbol(name: string): SymbolicDim {
    return new SymbolicDim(name, (bindings) => {
      const value = bindings[name];
      if (value === undefined) throw new RangeError(`no extent was given for the dimension ${name}`);
      return value;
    });
  }

  static derived(text: string, evaluator: (bindings: DimBindings) => number): SymbolicDim {
    return new SymbolicDim(text, evaluator);
  }

  /** However its terms were put together, a sum is the same. */
  static sum(terms: readonly Dim[]): SymbolicDim {
    return new SymbolicDim(
      `(${terms.join('+')})`,
      (bindings) => terms.reduce<number>((total, term) => total + evaluateDim(term, bindings), 0),
      terms,
    );
  }

  evaluate(bindings: DimBindings): number {
    return this.evaluator(bindings);
  }

  toString(): string {
    return this.text;
  }
}

export type Dim = number | SymbolicDim;
export type Shape = readonly Dim[];

export function evaluateDim(dim: Dim, bindings: DimBindings): number {
  return typeof dim === 'number' ? dim : dim.evaluate(bindings);
}

export function sameDim(a: Dim, b: Dim): boolean {
  return String(a) === String(b);
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, axis) => sameDim(dim, b[axis]!));
}

export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

export function addDims(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  if (a === 0) return b;
  if (b === 0) return a;
  return SymbolicDim.sum([...termsOf(a), ...termsOf(b)]);
}

function termsOf(dim: Dim): readonly Dim[] {
  return typeof dim === 'number' || dim.terms.length === 0 ? [dim] : dim.terms;
}

export function multiplyDims(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a * b;
  if (a === 1) return b;
  if (b === 1) return a;
  return SymbolicDim.derived(
    `(${String(a)}*${String(b)})`,
    (bindings) => evaluateDim(a, bindings) * evaluateDim(b, bindings),
  );
}

/** `a`, or the next multiple of `multiple`. */
export function roundUpDim(a: Dim, multiple: number): Dim {
  const apply = (value: number) => Math.ceil(value / multiple) * multiple;
  if (multiple === 1) return a;
  if (typeof a === 'number') return apply(a);
  return SymbolicDim.derived(`ceil(${a.text},${multiple})`, (bindings) => apply(a.evaluate(bindings)));
}

/** `a` / `divisor`, which must go in. */
export function divideDim(a: Dim, divisor: number): Dim {
  if (divisor === 1) return a;
  if (typeof a === 'number') return a / divisor;
  return SymbolicDim.derived(`(${a.text}/${divisor})`, (bindings) => a.evaluate(bindings) / divisor);
}

/** Output extent of a convolution: floor((extent + padding − kernel) / stride) + 1, `padding` being both sides together. */
export function convolvedDim(extent: Dim, kernel: number, stride: number, padding: number): Dim {
  const shift = padding - kernel;
  const apply = (value: number) => Math.floor((value + shift) / stride) + 1;
  if (typeof extent === 'number') return apply(extent);
  if (stride === 1 && shift === -1) return extent;
  return SymbolicDim.derived(`conv(${extent.text},${shift},${stride})`, (bindings) =>
    apply(extent.evaluate(bindings)),
  );
}

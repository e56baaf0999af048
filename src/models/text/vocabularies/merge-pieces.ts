import type { PieceTable } from './piece-table.js';

interface Symbol {
  text: string;
  previous: number;
  next: number;
  /** It stands as it is, and is never merged. */
  readonly fixed: boolean;
}

interface Pair {
  readonly left: number;
  readonly right: number;
  readonly score: number;
  /** Of both symbols, when the pair was found: one that has grown since is another pair. */
  readonly length: number;
}

/** The pieces of `text` by byte-pair encoding: neighbours whose piece scores best are merged first, the leftmost of equals (sentencepiece bpe_model.cc). */
export function mergePieces(text: string, { model, ids, fixed }: PieceTable): string[] {
  const symbols: Symbol[] = [];
  for (let at = 0; at < text.length;) {
    const symbol = fixed.find((each) => text.startsWith(each, at));
    const taken = symbol ?? String.fromCodePoint(text.codePointAt(at)!);
    symbols.push({
      text: taken,
      previous: symbols.length - 1,
      next: symbols.length + 1,
      fixed: symbol !== undefined,
    });
    at += taken.length;
  }
  const agenda = new Agenda();
  const add = (left: number, right: number): void => {
    const [a, b] = [symbols[left], symbols[right]];
    if (a === undefined || b === undefined || a.fixed || b.fixed) return;
    const id = ids.get(a.text + b.text);
    if (id === undefined) return;
    agenda.push({ left, right, score: model.pieces[id]!.score, length: a.text.length + b.text.length });
  };
  for (let index = 1; index < symbols.length; index++) add(index - 1, index);
  for (let pair = agenda.pop(); pair !== undefined; pair = agenda.pop()) {
    const [left, right] = [symbols[pair.left]!, symbols[pair.right]!];
    if (left.text === '' || right.text === '' || left.text.length + right.text.length !== pair.length)
      continue;
    left.text += right.text;
    left.next = right.next;
    const after = symbols[right.next];
    if (after !== undefined) after.previous = pair.left;
    right.text = '';
    add(left.previous, pair.left);
    add(pair.left, left.next);
  }
  return symbols.filter(({ text: piece }) => piece !== '').map(({ text: piece }) => piece);
}

/** Pairs, the one to merge next on top: a binary heap. */
class Agenda {
  private readonly pairs: Pair[] = [];

  push(pair: Pair): void {
    this.pairs.push(pair);
    let at = this.pairs.length - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(this.pairs[at]!, this.pairs[parent]!)) break;
      this.swap(at, parent);
      at = parent;
    }
  }

  pop(): Pair | undefined {
    const [top] = this.pairs;
    const last = this.pairs.pop();
    if (top === undefined || last === undefined || this.pairs.length === 0) return top;
    this.pairs[0] = last;
    for (let at = 0; ;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.pairs.length && before(this.pairs[child]!, this.pairs[least]!)) least = child;
      }
      if (least === at) return top;
      this.swap(at, least);
      at = least;
    }
  }

  private swap(a: number, b: number): void {
    [this.pairs[a], this.pairs[b]] = [this.pairs[b]!, this.pairs[a]!];
  }
}

function before(a: Pair, b: Pair): boolean {
  return a.score > b.score || (a.score === b.score && a.left < b.left);
}

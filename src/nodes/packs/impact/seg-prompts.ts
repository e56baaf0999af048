/** A text that says which part gets which prompt, in which order (modules/impact/wildcards.py, process_wildcard_for_segs). */
import type { Seg } from './segs.js';
import { NumpyGenerator } from '../../public.js';

export interface SegChooser {
  readonly ordered: readonly Seg[];
  /** Texts are added to the prompt (`[CONCAT]`). */
  readonly joins: boolean;
  /** A part's own text and seed, where it has them. Called once for each part, in order. */
  choose(seg: Seg): { readonly text?: string | undefined; readonly seed?: bigint | undefined };
}

/** `seed` is what chance goes by. */
export function chooserOf(written: string | undefined, items: readonly Seg[], seed: bigint): SegChooser {
  if (written === undefined) return { ordered: items, joins: false, choose: () => ({}) };
  const joins = written.startsWith('[CONCAT]');
  const text = joins ? written.slice('[CONCAT]'.length) : written;
  if (text.startsWith('[LAB]')) {
    const byLabel = labelledTexts(text);
    const textOf = (label: string) => (byLabel.get('ALL') ?? '') + (byLabel.get(label) ?? '');
    return { ordered: items, joins, choose: ({ label }) => ({ text: textOf(label) }) };
  }
  const mode = /^\[(ASC-SIZE|DSC-SIZE|ASC|DSC|RND)\]/u.exec(text);
  if (mode === null) return { ordered: items, joins, choose: () => ({ text }) };
  const random = new NumpyGenerator(seed);
  const texts = separated(text.slice(mode[0].length), random);
  const isShuffled = mode[1] === 'RND';
  if (isShuffled) random.shuffle(texts);
  let next = 0;
  return {
    ordered: sorted(items, mode[1]!),
    joins,
    choose() {
      if (next >= texts.length) {
        next = 0;
        if (isShuffled) random.shuffle(texts);
      }
      return texts[next++]!;
    },
  };
}

function labelledTexts(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, label = '', words = ''] of text.matchAll(/\[([A-Za-z0-9_. ]+)\]([^[]+)(?=\[|$)/gu)) {
    if (words.trim() === '') found.delete(label);
    else found.set(label, words.trim());
  }
  return found;
}

/** Texts between `[SEP]`, `[SEP:SEED]` and `[SEP:R]`, each with the seed that stands before it. */
function separated(text: string, random: NumpyGenerator): { text: string; seed: bigint | undefined }[] {
  const seeds = [...text.matchAll(/\[SEP(?::(\w+))?\]/gu)].map(([, seed]) => {
    if (seed === 'R') return BigInt(random.integers(0, 2 ** 31));
    return seed !== undefined && /^\d+$/u.test(seed) ? BigInt(seed) : undefined;
  });
  return text.split(/\[SEP(?::\w+)?\]/u).map((part, at) => ({ text: part, seed: [undefined, ...seeds][at] }));
}

function sorted(items: readonly Seg[], mode: string): readonly Seg[] {
  const area = ({ box }: Seg) => (box[2] - box[0]) * (box[3] - box[1]);
  const place = (a: Seg, b: Seg) => a.box[0] - b.box[0] || a.box[1] - b.box[1];
  switch (mode) {
    case 'ASC':
      return [...items].sort(place);
    case 'DSC':
      return [...items].sort((a, b) => place(b, a));
    case 'ASC-SIZE':
      return [...items].sort((a, b) => area(a) - area(b));
    case 'DSC-SIZE':
      return [...items].sort((a, b) => area(b) - area(a));
    default:
      return items;
  }
}

/** A1111's emphasis, written as ComfyUI reads it (modules/prompt_parser.py, parse_prompt_attention). */

/** A piece of a prompt; `BREAK` stands between chunks of 75 tokens. */
export type Piece = { readonly text: string; readonly weight: number } | 'BREAK';

const TOKEN = /\\\(|\\\)|\\\[|\\\]|\\\\|\\|\(|\[|:\s*([+-]?[.\d]+)\s*\)|\)|\]|[^\\()[\]:]+|:/g;
const ROUND = 1.1;
const SQUARE = 1 / 1.1;

/** `(a)` is 1.1 times as strong, `[a]` so many times weaker, `(a:1.5)` half again as strong; brackets nest, a backslash makes one a letter. */
export function parseAttention(prompt: string): readonly Piece[] {
  const pieces: { text: string; weight: number }[] = [];
  const breaks = new Set<number>();
  const open: Record<'round' | 'square', number[]> = { round: [], square: [] };
  const multiply = (start: number, factor: number) => {
    for (const piece of pieces.slice(start)) piece.weight *= factor;
  };
  const add = (text: string) => pieces.push({ text, weight: 1 });
  for (const [token, weight] of prompt.matchAll(TOKEN)) {
    if (token.startsWith('\\')) add(token.slice(1));
    else if (token === '(') open.round.push(pieces.length);
    else if (token === '[') open.square.push(pieces.length);
    else if (weight !== undefined && open.round.length > 0) multiply(open.round.pop()!, numberOf(weight));
    else if (token === ')' && open.round.length > 0) multiply(open.round.pop()!, ROUND);
    else if (token === ']' && open.square.length > 0) multiply(open.square.pop()!, SQUARE);
    else {
      token.split(/\s*\bBREAK\b\s*/).forEach((part, index) => {
        if (index > 0) breaks.add(pieces.length);
        add(part);
      });
    }
  }
  for (const start of open.round) multiply(start, ROUND);
  for (const start of open.square) multiply(start, SQUARE);
  return merged(pieces, breaks);
}

/** What Python's float makes of it; `1.2.3` fails there, and counts as nothing changed here. */
function numberOf(written: string): number {
  const value = Number(written);
  return Number.isFinite(value) ? value : 1;
}

/** Neighbours of one weight become one piece. */
function merged(
  pieces: readonly { readonly text: string; readonly weight: number }[],
  breaks: ReadonlySet<number>,
): Piece[] {
  const result: Piece[] = [];
  pieces.forEach((piece, index) => {
    const last = result.at(-1);
    if (breaks.has(index)) result.push('BREAK', piece);
    else if (last !== undefined && last !== 'BREAK' && last.weight === piece.weight) {
      result[result.length - 1] = { text: last.text + piece.text, weight: last.weight };
    } else result.push(piece);
  });
  return result;
}

/** The chunks of a prompt between its `BREAK`s, in ComfyUI's syntax. */
export function chunksForComfy(prompt: string): readonly string[] {
  const chunks: string[][] = [[]];
  for (const piece of parseAttention(prompt)) {
    if (piece === 'BREAK') chunks.push([]);
    else chunks.at(-1)!.push(comfyText(piece));
  }
  return chunks.map((texts) => texts.join(''));
}

function comfyText({ text, weight }: Exclude<Piece, string>): string {
  // ComfyUI unescapes parentheses alone (comfy/sd1_clip.py, escape_important).
  const escaped = text.replaceAll(/[()]/g, String.raw`\$&`);
  if (weight === 1 || escaped === '') return escaped;
  return `(${escaped}:${weightText(weight)})`;
}

/** ComfyUI reads the weight with Python's float, to which 1.1 to the third is better told in few digits. */
function weightText(weight: number): string {
  return String(Number(weight.toPrecision(9)));
}

/**
 * Prompts that change on the way (modules/prompt_parser.py, get_learned_conditioning_prompt_schedules): `[from:to:when]`, `[to:when]`,
 * `[from::when]` and `[a|b|c]`, which takes turns. `when` below 1, or with a point, is a share of the steps.
 */

/** The prompt until a step, counted from 1; the last one ends at the last step. */
export interface PromptStage {
  readonly endStep: number;
  readonly text: string;
}

type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'group'; readonly nodes: readonly Node[] }
  | { readonly kind: 'scheduled'; readonly before: Node; readonly after: Node; readonly when: string }
  | { readonly kind: 'alternate'; readonly options: readonly Node[] };

/** Far beyond any prompt that a person writes. */
const MAX_STAGES = 64;
const MAX_DEPTH = 50;

export function promptStages(prompt: string, steps: number): readonly PromptStage[] {
  if (!prompt.includes('[')) return [{ endStep: steps, text: prompt }];
  const tree = new Parser(prompt).parse();
  const ends = [...new Set([steps, ...endsOf(tree, steps)])].sort((a, b) => a - b).filter((end) => end > 0);
  const stages = ends.map((endStep) => ({ endStep, text: textAt(tree, endStep, steps) }));
  // Stages that say the same are one.
  const told = stages.filter((stage, index) => stage.text !== stages[index + 1]?.text);
  return told.length <= MAX_STAGES ? told : told.slice(-MAX_STAGES);
}

function endsOf(node: Node, steps: number): number[] {
  switch (node.kind) {
    case 'text':
      return [];
    case 'group':
      return node.nodes.flatMap((each) => endsOf(each, steps));
    case 'scheduled':
      return [...endsOf(node.before, steps), ...endsOf(node.after, steps), stepOf(node.when, steps)];
    case 'alternate':
      return Array.from({ length: steps }, (_, index) => index + 1);
  }
}

function stepOf(when: string, steps: number): number {
  const value = Number(when);
  const step = value < 1 || when.includes('.') ? value * steps : value;
  return Math.min(steps, Math.trunc(step));
}

function textAt(node: Node, step: number, steps: number): string {
  switch (node.kind) {
    case 'text':
      return node.text;
    case 'group':
      return node.nodes.map((each) => textAt(each, step, steps)).join('');
    case 'scheduled':
      return textAt(step <= stepOf(node.when, steps) ? node.before : node.after, step, steps);
    case 'alternate':
      return textAt(node.options[(step - 1) % node.options.length]!, step, steps);
  }
}

/** What isn't one of the forms is text, brackets and all. */
class Parser {
  /** Of each bracket that is closed, where. */
  private readonly closing: ReadonlyMap<number, number>;

  constructor(private readonly prompt: string) {
    this.closing = closingBrackets(prompt);
  }

  parse(): Node {
    return this.range(0, this.prompt.length, 0);
  }

  private range(from: number, to: number, depth: number): Node {
    const nodes: Node[] = [];
    let plain = from;
    for (let at = from; at < to; at = this.after(at)) {
      const end = this.closing.get(at);
      if (end === undefined || end >= to || depth >= MAX_DEPTH) continue;
      nodes.push(textNode(this.prompt.slice(plain, at)), this.bracket(at, end, depth + 1));
      plain = end + 1;
    }
    return { kind: 'group', nodes: [...nodes, textNode(this.prompt.slice(plain, to))] };
  }

  private bracket(start: number, end: number, depth: number): Node {
    const changing = this.prompt[start] === '[' ? this.changing(start, end, depth) : undefined;
    if (changing !== undefined) return changing;
    const [open, close] = [textNode(this.prompt[start]!), textNode(this.prompt[end]!)];
    return { kind: 'group', nodes: [open, this.range(start + 1, end, depth), close] };
  }

  /** A bracket that changes on the way; undefined for one that lessens. Inner brackets keep their colons to themselves. */
  private changing(start: number, end: number, depth: number): Node | undefined {
    const separators: number[] = [];
    for (let at = start + 1; at < end; at = this.after(at)) {
      if (this.prompt[at] === ':' || this.prompt[at] === '|') separators.push(at);
    }
    const part = (index: number): readonly [number, number] => [
      index === 0 ? start + 1 : separators[index - 1]! + 1,
      separators[index] ?? end,
    ];
    const node = (index: number) => this.range(...part(index), depth);
    const kinds = new Set(separators.map((at) => this.prompt[at]));
    if (kinds.size !== 1) return undefined;
    const last = separators.length;
    if (kinds.has('|'))
      return { kind: 'alternate', options: Array.from({ length: last + 1 }, (_, i) => node(i)) };
    const when = this.prompt.slice(...part(last)).trim();
    if (last > 2 || !/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(when)) return undefined;
    return last === 2
      ? { kind: 'scheduled', before: node(0), after: node(1), when }
      : { kind: 'scheduled', before: textNode(''), after: node(0), when };
  }

  /** Where to look on: behind a letter, an escaped letter, or a bracket as a whole. */
  private after(at: number): number {
    if (this.prompt[at] === '\\') return at + 2;
    return (this.closing.get(at) ?? at) + 1;
  }
}

/** By where they open. One that closes an outer bracket leaves the inner ones open. */
function closingBrackets(prompt: string): Map<number, number> {
  const closing = new Map<number, number>();
  const open: number[] = [];
  for (let at = 0; at < prompt.length; at++) {
    const character = prompt[at]!;
    if (character === '\\') at++;
    else if (character === '(' || character === '[') open.push(at);
    else if (character === ')' || character === ']') {
      const match = open.findLastIndex((start) => prompt[start] === (character === ')' ? '(' : '['));
      if (match < 0) continue;
      closing.set(open[match]!, at);
      open.length = match;
    }
  }
  return closing;
}

function textNode(text: string): Node {
  return { kind: 'text', text };
}

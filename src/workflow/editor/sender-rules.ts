/** What nodes of cg-use-everywhere restrict their broadcasts to (use_everywhere_classes.js and ue_properties.js of that pack). */
import { isLiteralObject, type Literal, type LiteralObject } from '../literal.js';
import { objectOf, type EditorGraph, type EditorInput, type EditorNode } from './graph.js';
import type { InfoOf } from './widgets.js';

export const SEED_EVERYWHERE = 'Seed Everywhere';
export const PROMPTS_EVERYWHERE = 'Prompts Everywhere';

export function shownName({ label, name }: EditorInput): string {
  return label ?? name;
}

export interface NameRule {
  readonly pattern: RegExp;
  readonly inverted: boolean;
}

export function passes({ pattern, inverted }: NameRule, text: string): boolean {
  return pattern.test(text.slice(0, MAX_NAME)) !== inverted;
}

/** Characters of a name that patterns are searched in, and of a pattern; how many of its parts may repeat. */
const MAX_NAME = 80;
const MAX_PATTERN = 300;
const MAX_REPEATS = 4;
const NOTHING = /(?!)/;

/**
 * A pattern of the file's own. One that could take forever (groups that repeat, many parts that do) finds nothing, and neither
 * does one that is none.
 */
function patternOf(text: string): RegExp {
  const repeats = text.match(/[*+{]/g)?.length ?? 0;
  if (text.length > MAX_PATTERN || repeats > MAX_REPEATS || /\)[*+{]/.test(text)) return NOTHING;
  try {
    return new RegExp(text);
  } catch {
    return NOTHING;
  }
}

/** What a sender restricts itself to: titles, names of inputs, groups, colours. */
export class SenderRules {
  private readonly own: LiteralObject;
  private readonly restricted: ReadonlySet<string> | undefined;

  constructor(
    private readonly node: EditorNode,
    graph: EditorGraph,
    private readonly infoOf: InfoOf,
  ) {
    this.own = objectOf(node.properties.get('ue_properties'));
    this.restricted = this.restriction(graph);
  }

  property(name: string): Literal | undefined {
    return this.own.get(name) ?? this.node.properties.get(name);
  }

  regex(of: 'title' | 'input' | 'group'): NameRule | undefined {
    // Nodes of before 2025 have them as widgets.
    const isOld = this.node.type === 'Anything Everywhere?' && !this.own.has('version');
    const { values } = this.node;
    const at = ['title', 'input', 'group'].indexOf(of);
    const old = isOld && !isLiteralObject(values) ? values[at] : undefined;
    const text = this.own.get(`${of}_regex`) ?? old;
    if (typeof text !== 'string' || text === '' || text === '.*') return undefined;
    return { pattern: patternOf(text), inverted: this.own.get(`${of}_regex_invert`) === true };
  }

  take(target: EditorNode, input: EditorInput): boolean {
    if (this.restricted !== undefined && !this.restricted.has(target.id)) return false;
    const title = target.title ?? this.infoOf(target.type)?.display_name ?? target.type;
    const [titled, named] = [this.regex('title'), this.regex('input')];
    if (titled !== undefined && !passes(titled, title)) return false;
    return named === undefined || passes(named, shownName(input));
  }

  /** Of several inputs of one type, which goes to which input, by its name. */
  fitsName(label: string, input: EditorInput, target: EditorNode): boolean {
    const name = shownName(input);
    const length = Math.min(name.length, label.length);
    switch (Number(this.own.get('repeated_type_rule') ?? 0)) {
      case 1:
        return name.slice(0, length) === label.slice(0, length);
      case 2:
        return name.slice(name.length - length) === label.slice(label.length - length);
      case 3:
        return target.title === label;
      default:
        return name === label;
    }
  }

  priority(repeats: boolean): number {
    const given = Number(this.property('priority') ?? 0);
    if (given > 0) return given;
    const isSpecial = this.node.type === SEED_EVERYWHERE || this.node.type === PROMPTS_EVERYWHERE;
    const hasRegex = (['title', 'input', 'group'] as const).some((of) => this.regex(of) !== undefined);
    return (
      10 +
      (isSpecial ? 10 : 0) +
      (hasRegex || repeats ? 20 : 0) +
      (Number(this.property('group_restricted') ?? 0) > 0 ? 3 : 0) +
      (Number(this.property('color_restricted') ?? 0) > 0 ? 6 : 0)
    );
  }

  private restriction(graph: EditorGraph): ReadonlySet<string> | undefined {
    const all = [...graph.nodes.values()];
    const framed = (
      { position: [x, y] }: EditorNode,
      [left = 0, top = 0, width = 0, height = 0]: readonly number[],
    ) => x >= left && y >= top && x <= left + width && y <= top + height;
    const group = Number(this.property('group_restricted') ?? 0);
    const colour = Number(this.property('color_restricted') ?? 0);
    const titled = this.regex('group');
    if (group === 0 && colour === 0 && titled === undefined) return undefined;
    const mine = graph.frames.filter(({ bounds }) => framed(this.node, bounds));
    const kept = all.filter((node) => {
      const inMine = mine.some(({ bounds }) => framed(node, bounds));
      if (group !== 0 && inMine !== (group === 1)) return false;
      if (colour !== 0 && (node.color === this.node.color) !== (colour === 1)) return false;
      return (
        titled === undefined ||
        graph.frames.some(({ title, bounds }) => passes(titled, title) && framed(node, bounds))
      );
    });
    return new Set(kept.map(({ id }) => id));
  }
}

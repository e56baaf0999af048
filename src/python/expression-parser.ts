/** Python's expressions as trees. */
import type { PythonValue } from './value.js';

/** An expression that Python refuses, a name that isn't there, or a value that an operator doesn't take. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
}

/** A part of an expression. */
export type Node =
  | { readonly kind: 'constant'; readonly value: PythonValue }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'unary'; readonly operator: string; readonly of: Node }
  | { readonly kind: 'binary'; readonly operator: string; readonly left: Node; readonly right: Node }
  | { readonly kind: 'logic'; readonly operator: 'and' | 'or'; readonly left: Node; readonly right: Node }
  | { readonly kind: 'compare'; readonly first: Node; readonly rest: readonly (readonly [string, Node])[] }
  | { readonly kind: 'choice'; readonly test: Node; readonly then: Node; readonly otherwise: Node }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Node[] }
  | { readonly kind: 'index'; readonly of: Node; readonly at: Node }
  | { readonly kind: 'attribute'; readonly of: Node; readonly name: string };

const TOKEN =
  /\s*(?:((?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?|0[xX][\da-fA-F]+|0[bB][01]+|0[oO][0-7]+)|([\p{L}_][\p{L}\p{N}_]*)|('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(\*\*|\/\/|<<|>>|<=|>=|==|!=|[-+*/%@<>()[\],.&|^~]))/uy;

interface Token {
  readonly kind: 'number' | 'name' | 'text' | 'operator' | 'end';
  readonly text: string;
}

/** Deeper ones are refused, as they would take the stack. */
const DEEPEST = 200;

/** Reads an expression; `parse` throws `ExpressionError` for one that isn't sound. */
export class ExpressionParser {
  private readonly tokens: Token[] = [];
  private at = 0;
  private depth = 0;

  constructor(private readonly text: string) {
    const hexFirst = /\s*(0[xX][\da-fA-F]+|0[bB][01]+|0[oO][0-7]+)/uy;
    let position = 0;
    while (text.slice(position).trim() !== '') {
      hexFirst.lastIndex = TOKEN.lastIndex = position;
      const based = hexFirst.exec(text);
      const match = based ?? TOKEN.exec(text);
      if (match === null)
        throw this.fault(`can't read ${JSON.stringify(text.slice(position, position + 20))}`);
      position += match[0].length;
      const [, number, name, string, operator] = match;
      if (number !== undefined) this.tokens.push({ kind: 'number', text: number });
      else if (name !== undefined) this.tokens.push({ kind: 'name', text: name });
      else if (string !== undefined) this.tokens.push({ kind: 'text', text: string });
      else this.tokens.push({ kind: 'operator', text: operator! });
    }
    this.tokens.push({ kind: 'end', text: '' });
  }

  parse(): Node {
    const node = this.choice();
    if (this.peek().kind !== 'end') throw this.fault(`unexpected ${JSON.stringify(this.peek().text)}`);
    return node;
  }

  private fault(reason: string): ExpressionError {
    const shown = this.text.length > 200 ? `${this.text.slice(0, 200)}…` : this.text;
    return new ExpressionError(`the expression ${JSON.stringify(shown)} is not sound: ${reason}`);
  }

  private peek(): Token {
    return this.tokens[this.at]!;
  }

  private take(...texts: readonly string[]): string | undefined {
    const token = this.peek();
    if (token.kind === 'text' || token.kind === 'number' || !texts.includes(token.text)) return undefined;
    this.at++;
    return token.text;
  }

  private expect(text: string): void {
    if (this.take(text) === undefined) throw this.fault(`${JSON.stringify(text)} is missing`);
  }

  private choice(): Node {
    if (++this.depth > DEEPEST) throw this.fault('it is too deeply nested');
    const then = this.or();
    let node = then;
    if (this.take('if') !== undefined) {
      const test = this.or();
      this.expect('else');
      node = { kind: 'choice', test, then, otherwise: this.choice() };
    }
    this.depth--;
    return node;
  }

  private or(): Node {
    let left = this.and();
    while (this.take('or') !== undefined) left = { kind: 'logic', operator: 'or', left, right: this.and() };
    return left;
  }

  private and(): Node {
    let left = this.not();
    while (this.take('and') !== undefined) left = { kind: 'logic', operator: 'and', left, right: this.not() };
    return left;
  }

  private not(): Node {
    if (this.take('not') === undefined) return this.comparison();
    if (++this.depth > DEEPEST) throw this.fault('it is too deeply nested');
    const of = this.not();
    this.depth--;
    return { kind: 'unary', operator: 'not', of };
  }

  private comparison(): Node {
    const first = this.binary(0);
    const rest: [string, Node][] = [];
    for (;;) {
      let operator = this.take('<', '>', '<=', '>=', '==', '!=', 'in', 'is');
      if (operator === 'is' && this.take('not') !== undefined) operator = 'is not';
      if (operator === undefined && this.peek().text === 'not' && this.tokens[this.at + 1]?.text === 'in') {
        this.at += 2;
        operator = 'not in';
      }
      if (operator === undefined) return rest.length === 0 ? first : { kind: 'compare', first, rest };
      rest.push([operator, this.binary(0)]);
    }
  }

  private binary(level: number): Node {
    const operators = LEVELS[level];
    if (operators === undefined) return this.unary();
    let left = this.binary(level + 1);
    for (;;) {
      const operator = this.take(...operators);
      if (operator === undefined) return left;
      left = { kind: 'binary', operator, left, right: this.binary(level + 1) };
    }
  }

  private unary(): Node {
    const operator = this.take('-', '+', '~');
    if (operator === undefined) return this.power();
    if (++this.depth > DEEPEST) throw this.fault('it is too deeply nested');
    const of = this.unary();
    this.depth--;
    return { kind: 'unary', operator, of };
  }

  /** Binds closer than a sign before it, and less than one after it. */
  private power(): Node {
    const left = this.postfix();
    return this.take('**') === undefined
      ? left
      : { kind: 'binary', operator: '**', left, right: this.unary() };
  }

  private postfix(): Node {
    let node = this.primary();
    for (;;) {
      if (this.take('[') !== undefined) {
        const at = this.choice();
        this.expect(']');
        node = { kind: 'index', of: node, at };
      } else if (this.take('.') !== undefined) {
        const token = this.peek();
        if (token.kind !== 'name') throw this.fault('a name is missing after a point');
        this.at++;
        node = { kind: 'attribute', of: node, name: token.text };
      } else if (node.kind === 'name' && this.take('(') !== undefined) {
        node = { kind: 'call', name: node.name, args: this.items(')') };
      } else return node;
    }
  }

  private items(close: string): Node[] {
    const items: Node[] = [];
    while (this.take(close) === undefined) {
      items.push(this.choice());
      if (this.take(',') === undefined) {
        this.expect(close);
        break;
      }
    }
    return items;
  }

  private primary(): Node {
    const token = this.peek();
    this.at++;
    switch (token.kind) {
      case 'number':
        return { kind: 'constant', value: numberOf(token.text) };
      case 'text':
        return { kind: 'constant', value: textOf(token.text) };
      case 'name': {
        const constant = CONSTANTS.get(token.text);
        return constant === undefined
          ? { kind: 'name', name: token.text }
          : { kind: 'constant', value: constant };
      }
      case 'operator':
        if (token.text === '(') {
          const inner = this.choice();
          this.expect(')');
          return inner;
        }
        throw this.fault(`unexpected ${JSON.stringify(token.text)}`);
      case 'end':
        throw this.fault('it ends too early');
    }
  }
}

/** From the loosest to the tightest. */
const LEVELS: readonly (readonly string[])[] = [
  ['|'],
  ['^'],
  ['&'],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '//', '%'],
];

const CONSTANTS: ReadonlyMap<string, PythonValue> = new Map<string, PythonValue>([
  ['True', true],
  ['False', false],
  ['None', null],
]);

function numberOf(text: string): PythonValue {
  const digits = text.replaceAll('_', '');
  return /^(?:\d+|0[xXbBoO].*)$/.test(digits) ? BigInt(digits) : Number(digits);
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

function textOf(quoted: string): string {
  return quoted.slice(1, -1).replace(/\\(.)/gsu, (_, character: string) => ESCAPES[character] ?? character);
}

/** Rows as columns, no wider than the terminal that shows them. */
import { safeLine } from '../safe-text.js';
import { styled, type Style } from './style.js';

/** A cell in a style: its text is made safe first, so that no escape but the style's own gets through. */
export interface StyledCell {
  readonly text: string;
  readonly style: Style;
}
export type Cell = string | StyledCell;

/** A column narrower than this isn't worth wrapping into. */
const NARROWEST = 20;
const GAP = '  ';

/**
 * Rows as columns, each as wide as its widest cell. A row's last cell is wrapped at words where the whole would be wider than
 * `width`; nothing is cut.
 */
export function formatTable(rows: readonly (readonly Cell[])[], width = terminalWidth()): string {
  const safe = rows.map((row) => row.map((cell) => safeLine(textOf(cell))));
  const widths = safe.reduce<number[]>((widest, row) => {
    row.slice(0, -1).forEach((cell, column) => (widest[column] = Math.max(widest[column] ?? 0, cell.length)));
    return widest;
  }, []);
  return safe.flatMap((row, index) => lines(row, rows[index]!, widths, width)).join('\n');
}

/** Writes a table to standard output. */
export function printTable(rows: readonly (readonly Cell[])[]): void {
  if (rows.length > 0) process.stdout.write(`${formatTable(rows)}\n`);
}

function lines(
  row: readonly string[],
  cells: readonly Cell[],
  widths: readonly number[],
  width: number,
): readonly string[] {
  const before = row.slice(0, -1).map((cell, column) => {
    const padding = ' '.repeat((widths[column] ?? 0) - cell.length);
    return `${paint(cell, cells[column])}${padding}${GAP}`;
  });
  const indent = widths
    .slice(0, before.length)
    .reduce((sum, columnWidth) => sum + columnWidth + GAP.length, 0);
  const [first = '', ...rest] = wrap(row.at(-1) ?? '', width - indent);
  const last = cells.at(-1);
  return [
    `${before.join('')}${paint(first, last)}`.trimEnd(),
    ...rest.map((line) => `${' '.repeat(indent)}${paint(line, last)}`),
  ];
}

/** Lines of at most `width` characters, or longer where a word is. */
export function wrap(text: string, width: number): readonly string[] {
  if (text.length <= width || width < NARROWEST) return [text];
  const wrapped: string[] = [];
  let line = '';
  // Blanks at the beginning are an indentation.
  for (const word of text.split(/(?<=\S) +(?=\S)/)) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (longer.length > width && line !== '') {
      wrapped.push(line);
      line = word;
    } else line = longer;
  }
  return [...wrapped, line];
}

/** Columns of the terminal that reads standard output; lines that a program reads are never broken. */
function terminalWidth(): number {
  return process.stdout.isTTY ? process.stdout.columns : Infinity;
}

function textOf(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.text;
}

function paint(text: string, cell: Cell | undefined): string {
  return cell === undefined || typeof cell === 'string' ? text : styled(text, cell.style);
}

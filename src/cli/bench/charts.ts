/** Charts as inline SVG: every mark has a title that shows its figures under the pointer. */
import { median } from '../../bench/statistics.js';
import { formatTime } from './figures.js';
import { element, escaped, type Markup } from './markup.js';

const WIDTH = 860;
const LABEL_WIDTH = 150;
const VALUE_WIDTH = 110;
const ROW = 26;

export interface Part {
  readonly name: string;
  readonly value: number;
}

/** The stages in the order of the style sheet's colors, so that each has one color everywhere. */
const COLORED = [
  ...['sampling', 'vae decode', 'text encode', 'png', 'start', 'checkpoint open'],
  ...['load unet', 'other', 'load vae decoder', 'load clip_l', 'load clip_g', 'load clip_h'],
];

function colorOf(name: string): string {
  return `c${Math.max(0, COLORED.indexOf(name))}`;
}

function svg(height: number, title: string, ...children: Markup[]): Markup {
  return element(
    'svg',
    { viewBox: `0 0 ${WIDTH} ${height}`, role: 'img', 'aria-label': title, class: 'chart' },
    children,
  );
}

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end' = 'start'): Markup {
  return element('text', { x, y, 'text-anchor': anchor }, escaped(content));
}

function titled(tag: string, attributes: Readonly<Record<string, string | number>>, title: string): Markup {
  return element(tag, attributes, element('title', {}, escaped(title)));
}

/** Rows of times, each one bar of parts, all on one scale; parts of one name have one color. */
export function stackedBars(
  title: string,
  rows: readonly { readonly name: string; readonly parts: readonly Part[] }[],
): Markup {
  const total = (parts: readonly Part[]) => parts.reduce((sum, { value }) => sum + value, 0);
  const longest = Math.max(...rows.map(({ parts }) => total(parts)));
  const scale = (WIDTH - LABEL_WIDTH - VALUE_WIDTH) / longest;
  const names = [...new Set(rows.flatMap(({ parts }) => parts.map(({ name }) => name)))];
  const bars = rows.flatMap(({ name, parts }, row) => {
    const y = row * ROW + 4;
    let x = LABEL_WIDTH;
    const all = total(parts);
    const marks = parts.map((part) => {
      const width = part.value * scale;
      const share = ((100 * part.value) / all).toFixed(1);
      const mark = titled(
        'rect',
        { x, y, width, height: ROW - 8, class: colorOf(part.name) },
        `${part.name}: ${formatTime(part.value)}, ${share} %`,
      );
      x += width;
      return mark;
    });
    return [text(LABEL_WIDTH - 8, y + 13, name, 'end'), ...marks, text(x + 6, y + 13, formatTime(all))];
  });
  const legendTop = rows.length * ROW + 8;
  const perLine = 5;
  const legend = names.flatMap((name, index) => {
    const x = LABEL_WIDTH + (index % perLine) * 140;
    const y = legendTop + Math.floor(index / perLine) * 18;
    return [
      element('rect', { x, y, width: 11, height: 11, class: colorOf(name) }),
      text(x + 16, y + 10, name),
    ];
  });
  return svg(legendTop + Math.ceil(names.length / perLine) * 18 + 4, title, ...bars, ...legend);
}

/** A bar for each name, on a scale from 0 to the largest value or `full`. */
export function bars(
  title: string,
  rows: readonly (Part & { readonly label: string; readonly color?: number })[],
  full = 0,
): Markup {
  const scale = (WIDTH - LABEL_WIDTH - VALUE_WIDTH) / Math.max(full, ...rows.map(({ value }) => value), 1e-9);
  const marks = rows.flatMap(({ name, value, label, color = 0 }, row) => {
    const y = row * ROW + 4;
    const width = value * scale;
    return [
      text(LABEL_WIDTH - 8, y + 13, name, 'end'),
      titled('rect', { x: LABEL_WIDTH, y, width, height: ROW - 8, class: `c${color}` }, `${name}: ${label}`),
      text(LABEL_WIDTH + width + 6, y + 13, label),
    ];
  });
  const edge = LABEL_WIDTH + full * scale;
  const height = rows.length * ROW + 4;
  const limit = full === 0 ? [] : [element('line', { x1: edge, y1: 0, x2: edge, y2: height, class: 'axis' })];
  return svg(height, title, ...marks, ...limit);
}

/** Each run's sampling steps as a thin line, their medians as a thick one. */
export function stepLines(runs: readonly (readonly number[])[]): Markup {
  const count = runs[0]?.length ?? 0;
  const [left, right, top, height] = [LABEL_WIDTH / 2, 20, 10, 180];
  const highest = 1.05 * Math.max(...runs.flat());
  const x = (step: number) => left + ((WIDTH - left - right) * (step + 0.5)) / count;
  const y = (ms: number) => top + height * (1 - ms / highest);
  const line = (steps: readonly number[], name: string) =>
    element('polyline', {
      points: steps.map((ms, step) => `${x(step).toFixed(1)},${y(ms).toFixed(1)}`).join(' '),
      class: name,
    });
  const medians = Array.from({ length: count }, (_, step) => median(runs.map((run) => run[step]!)));
  const every = Math.ceil(count / 20);
  return svg(
    top + height + 24,
    'time of each sampling step',
    element('line', { x1: left, y1: top + height, x2: WIDTH - right, y2: top + height, class: 'axis' }),
    text(left - 6, y(0), '0', 'end'),
    text(left - 6, y(highest / 1.05) + 8, formatTime(highest / 1.05), 'end'),
    ...runs.map((run) => line(run, 'run')),
    line(medians, 'median'),
    ...medians.map((ms, step) =>
      titled(
        'circle',
        { cx: x(step), cy: y(ms), r: 3.5, class: 'c0' },
        `step ${step + 1}: ${formatTime(ms)}`,
      ),
    ),
    ...medians.flatMap((_, step) =>
      step % every === 0 ? [text(x(step), top + height + 16, String(step + 1), 'middle')] : [],
    ),
  );
}

/** Every sample of every row as a dot, as a share of the row's median. */
export function dots(
  title: string,
  rows: readonly { readonly name: string; readonly samples: readonly number[] }[],
): Markup {
  const scaled = rows.map(({ name, samples }) => {
    const middle = median(samples);
    return { name, samples, shares: samples.map((ms) => (middle === 0 ? 1 : ms / middle)) };
  });
  const all = scaled.flatMap(({ shares }) => shares);
  const [low, high] = [Math.min(0.95, ...all), Math.max(1.05, ...all)];
  const x = (share: number) =>
    LABEL_WIDTH + ((WIDTH - LABEL_WIDTH - VALUE_WIDTH) * (share - low)) / (high - low);
  const height = rows.length * ROW;
  return svg(
    height + 22,
    title,
    element('line', { x1: x(1), y1: 0, x2: x(1), y2: height, class: 'axis' }),
    ...scaled.flatMap(({ name, samples, shares }, row) => [
      text(LABEL_WIDTH - 8, row * ROW + 17, name, 'end'),
      ...shares.map((share, index) =>
        titled(
          'circle',
          { cx: x(share), cy: row * ROW + 13, r: 4, class: 'dot' },
          `${name}: ${formatTime(samples[index]!)}`,
        ),
      ),
    ]),
    text(x(low), height + 16, `${(100 * low).toFixed(0)} %`, 'middle'),
    text(x(1), height + 16, 'median', 'middle'),
    text(x(high), height + 16, `${(100 * high).toFixed(0)} %`, 'middle'),
  );
}

export interface ChangeRow {
  readonly name: string;
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
  readonly label: string;
  /** `faster`, `slower` or neither. */
  readonly className: string;
}

/** Ratios with their intervals on a logarithmic scale around 1. */
export function changes(title: string, rows: readonly ChangeRow[]): Markup {
  const reach = Math.max(
    Math.log(1.05),
    ...rows.flatMap(({ low, high }) => [-Math.log(low), Math.log(high)]),
  );
  const half = (WIDTH - LABEL_WIDTH - 2 * VALUE_WIDTH) / 2;
  const middle = LABEL_WIDTH + half;
  const x = (ratio: number) => middle + (Math.log(ratio) / reach) * half;
  return svg(
    rows.length * ROW + 4,
    title,
    element('line', { x1: middle, y1: 0, x2: middle, y2: rows.length * ROW, class: 'axis' }),
    ...rows.flatMap(({ name, ratio, low, high, label, className }, row) => {
      const y = row * ROW + 13;
      return [
        text(LABEL_WIDTH - 8, y + 4, name, 'end'),
        element('line', { x1: x(low), y1: y, x2: x(high), y2: y, class: `interval ${className}` }),
        titled('circle', { cx: x(ratio), cy: y, r: 4.5, class: className }, `${name}: ${label}`),
        text(WIDTH - 2 * VALUE_WIDTH + 24, y + 4, label),
      ];
    }),
  );
}

/**
 * `%NODE.WIDGET%` and `%date:yyyy-MM-dd%` in file names, as ComfyUI's editor fills them in when a workflow is queued
 * (utils/searchAndReplace.ts, scripts/utils.ts formatDate); `%year%` and its kind are the nodes' own.
 */
import type { Literal } from '../literal.js';
import type { EditorNode } from './graph.js';

/** Whose `filename_prefix` it is done for (extensions/core/saveImageExtraOutput.ts). */
export const SAVERS = new Set([
  'SaveImage',
  'SaveImageAdvanced',
  'SaveAnimatedPNG',
  'SaveAnimatedWEBP',
  'SaveWEBM',
  'SaveVideo',
  'SaveAudio',
  'SaveAudioMP3',
  'SaveAudioOpus',
  'SaveGLB',
  'SaveLatent',
  'CLIPSave',
  'CLIPTextEncodeSave',
  'VAESave',
  'ModelSave',
  'LoraSave',
]);

const FORBIDDEN = /[/?<>\\:*|"\p{Cc}]/gu;

export function replaceTexts(
  text: string,
  nodes: Iterable<EditorNode>,
  valueOf: (node: EditorNode, widget: string) => Literal | undefined,
  now: Date,
): string {
  const all = [...nodes];
  return text.replaceAll(/%([^%]+)%/g, (whole, inner: string) => {
    if (inner.startsWith('date:')) return formatDate(inner.slice('date:'.length), now);
    const [name, widget, ...more] = inner.split('.');
    if (widget === undefined || more.length > 0) return whole;
    const node =
      all.find(({ properties }) => properties.get('Node name for S&R') === name) ??
      all.find(({ title }) => title === name);
    const value = node === undefined ? undefined : valueOf(node, widget);
    if (value === undefined || value === null || typeof value === 'object') return whole;
    return String(value).replaceAll(FORBIDDEN, '_');
  });
}

function formatDate(format: string, date: Date): string {
  const parts: Readonly<Record<string, number>> = {
    d: date.getDate(),
    M: date.getMonth() + 1,
    h: date.getHours(),
    m: date.getMinutes(),
    s: date.getSeconds(),
  };
  return format.replaceAll(/d{1,2}|M{1,2}|h{1,2}|m{1,2}|s{1,2}|yyyy|yy/g, (part) => {
    if (part === 'yy') return String(date.getFullYear()).slice(2);
    if (part === 'yyyy') return String(date.getFullYear());
    return String(parts[part[0]!]).padStart(part.length, '0');
  });
}

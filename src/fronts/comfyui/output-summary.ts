/** How many files a job made, and which of them stands for it (comfy_execution/jobs.py, get_outputs_summary). */
import { isObject } from './request-body.js';

const PREVIEWABLE = new Set(['images', 'video', 'audio', '3d', 'text']);
const SHOWN_FILES = /\.(?:obj|fbx|gltf|glb|usdz|txt|md|json)$/i;
const MAX_TEXT = 1024;

type Outputs = Readonly<Record<string, Readonly<Record<string, readonly unknown[]>>>>;

export function summarise(outputs: Outputs): { readonly count: number; readonly preview?: object } {
  let count = 0;
  let saved: object | undefined;
  let other: object | undefined;
  for (const [nodeId, lists] of Object.entries(outputs)) {
    for (const [mediaType, items] of Object.entries(lists)) {
      if (mediaType === 'animated') continue;
      for (const item of items) {
        if (typeof item === 'string' && mediaType === 'text') {
          other ??= { ...textPreview(item), nodeId, mediaType };
        }
        if (!isObject(item)) continue;
        count++;
        if (!isPreviewable(mediaType, item)) continue;
        const preview = { mediaType, ...item, nodeId };
        if (item['type'] === 'output') saved ??= preview;
        else other ??= preview;
      }
    }
  }
  const preview = saved ?? other;
  return { count, ...(preview !== undefined && { preview }) };
}

function textPreview(text: string): object {
  return text.length <= MAX_TEXT ? { content: text } : { content: text.slice(0, MAX_TEXT), truncated: true };
}

function isPreviewable(mediaType: string, { format, filename }: Readonly<Record<string, unknown>>): boolean {
  if (PREVIEWABLE.has(mediaType)) return true;
  if (typeof format === 'string' && /^(?:video|audio)\//.test(format)) return true;
  return typeof filename === 'string' && SHOWN_FILES.test(filename);
}

/** IP-Adapter files, told by their keys (github cubiq/ComfyUI_IPAdapter_plus, ipadapter_model_loader and ipadapter_execute). */
import { parse } from 'node:path';
import { ModelError } from '../model-error.js';
import type { WeightSource } from '../weights/weight-source.js';
import { derived, underPrefix } from '../weights/weight-views.js';

/** How encoded pictures become words. */
export type ProjectionKind =
  /** One linear layer of the picture as a whole. */
  | 'plain'
  /** A resampler of its patches. */
  | 'plus'
  /** Two layers over each of its patches. */
  | 'full';

export interface AdapterFile {
  readonly identity: string;
  readonly path: string;
  readonly kind: ProjectionKind;
  /** From encoded pictures to words. */
  readonly projection: WeightSource;
  /** From words to keys and values: `1.to_k_ip.weight`, `1.to_v_ip.weight`, `3.…` */
  readonly attention: WeightSource;
  /** Of the words that it makes. */
  readonly width: number;
}

/** Throws `ModelError` for a file that is none, and for one of faces. */
export function openAdapterFile(file: WeightSource): AdapterFile {
  const projection = underPrefix(file, 'image_proj.');
  const attention = attentionOf(file);
  const first = '1.to_k_ip.weight';
  if (!attention.has(first)) {
    throw new ModelError(
      `${file.path} is no IP-Adapter: it has no ip_adapter.${first} beside image_proj. keys`,
    );
  }
  refuseFaces(file, projection, attention);
  const kind = projection.has('proj.3.weight') ? 'full' : projection.has('latents') ? 'plus' : 'plain';
  const width = attention.weight(first).shape[1] ?? 0;
  return { identity: file.identity, path: file.path, kind, projection, attention, width };
}

/** Some trainers call its layers adapter_modules. */
function attentionOf(file: WeightSource): WeightSource {
  const names = new Map<string, string>();
  for (const key of file.keys()) {
    const name = /^(?:ip_adapter|adapter_modules)\.(.*)$/.exec(key)?.[1];
    if (name !== undefined) names.set(name, key);
  }
  return derived(file, 'ip_adapter', names);
}

function refuseFaces(file: WeightSource, projection: WeightSource, attention: WeightSource): void {
  const isPortrait = projection.has('proj.2.weight') && !projection.has('proj.3.weight');
  const isFace =
    isPortrait ||
    attention.has('0.to_q_lora.down.weight') ||
    projection.has('perceiver_resampler.proj_in.weight') ||
    /unnorm/i.test(parse(file.path).name);
  if (!isFace) return;
  throw new ModelError(
    `${file.path} is a FaceID adapter, which needs the face embedder of InsightFace (models/insightface/models/buffalo_l: det_10g.onnx and w600k_r50.onnx); FaceID isn't supported yet, the PLUS FACE and FULL FACE adapters do without it`,
  );
}

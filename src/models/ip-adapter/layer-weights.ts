/** How strongly pictures count in each block, by kinds of weights (ComfyUI_IPAdapter_plus, ipadapter_execute and ipadapter_attention). */
import type { CrossAttentionBlock } from '../denoiser/attended-pictures.js';

export const WEIGHT_TYPES = [
  'linear',
  'ease in',
  'ease out',
  'ease in-out',
  'reverse in-out',
  'weak input',
  'weak output',
  'weak middle',
  'strong middle',
  'style transfer',
  'composition',
  'strong style transfer',
  'style and composition',
  'style transfer precise',
  'composition precise',
] as const;

export type WeightType = (typeof WEIGHT_TYPES)[number] | 'strong style and composition';

export interface LayerWeighting {
  readonly type: WeightType;
  readonly weight: number;
  readonly composition: number;
  /** Of style transfer precise, and of composition precise: the weight of what each is not about. */
  readonly styleBoost?: number | undefined;
  readonly compositionBoost?: number | undefined;
  /** `0:1, 3:0.5`: factors by transformer; others don't count. */
  readonly layers?: Readonly<Record<number, number>> | undefined;
}

/** SDXL's UNets have as many transformers; all others count as SD 1.x's. */
const SDXL_TRANSFORMERS = 11;

/** The weight of a block; undefined where pictures don't count. */
export function weightOf(weighting: LayerWeighting, block: CrossAttentionBlock): number | undefined {
  const { type, weight, layers } = weighting;
  if (layers !== undefined) {
    const factor = layers[block.transformer];
    return factor === undefined ? undefined : factor * weight;
  }
  const byTransformer = chosenTransformers(weighting, block.transformers === SDXL_TRANSFORMERS);
  if (byTransformer !== undefined) return byTransformer.get(block.transformer);
  return weight * easing(type, block);
}

function easing(type: WeightType, { transformer, transformers, side }: CrossAttentionBlock): number {
  const last = transformers === SDXL_TRANSFORMERS ? SDXL_TRANSFORMERS : 16;
  const place = transformer / last;
  const aside = Math.abs(transformer - last / 2) / (last / 2);
  const eased = (share: number): number => 0.05 + 0.95 * share;
  switch (type) {
    case 'ease in':
      return eased(1 - place);
    case 'ease out':
      return eased(place);
    case 'ease in-out':
      return eased(1 - aside);
    case 'reverse in-out':
      return eased(aside);
    case 'weak input':
      return side === 'input' ? 0.2 : 1;
    case 'weak middle':
      return side === 'middle' ? 0.2 : 1;
    case 'weak output':
      return side === 'output' ? 0.2 : 1;
    case 'strong middle':
      return side === 'middle' ? 1 : 0.2;
    default:
      return 1;
  }
}

/** Of the kinds that name transformers: style is in 6 of SDXL's, composition in 3; in SD 1.x's, composition is in 4 and 5. */
function chosenTransformers(
  { type, weight, composition, styleBoost, compositionBoost }: LayerWeighting,
  isSdxl: boolean,
): ReadonlyMap<number, number> | undefined {
  const all = (count: number, value: number) =>
    Array.from({ length: count }, (_, index): [number, number] => [index, value]);
  const styleOfSd1 = (value: number) => all(16, value).filter(([index]) => ![4, 5, 6, 7, 8].includes(index));
  const transformers = (sdxl: () => [number, number][], sd1: () => [number, number][]) =>
    new Map(isSdxl ? sdxl() : sd1());
  switch (type) {
    case 'style transfer':
      return transformers(
        () => [[6, weight]],
        () => styleOfSd1(weight),
      );
    case 'composition':
      return transformers(
        () => [[3, weight]],
        () => [
          [4, weight * 0.25],
          [5, weight],
        ],
      );
    case 'strong style transfer':
      return transformers(
        () => all(11, weight).filter(([index]) => index !== 3),
        () => all(16, weight).filter(([index]) => index !== 4 && index !== 5),
      );
    case 'style and composition':
      return styleAnd(composition);
    case 'strong style and composition':
      return transformers(
        () => [...all(11, weight), [3, composition]],
        () => [...all(16, weight), [4, composition], [5, composition]],
      );
    case 'style transfer precise':
      return styleAnd(styleBoost ?? weight);
    case 'composition precise': {
      const style = compositionBoost ?? weight;
      return transformers(
        () => [...all(11, style * 0.1), [3, weight], [6, style]],
        () => [
          ...styleOfSd1(style),
          [4, weight * 0.25],
          [5, weight],
          ...[6, 7, 8].map((index): [number, number] => [index, style * 0.1]),
        ],
      );
    }
    default:
      return undefined;
  }
  function styleAnd(other: number): ReadonlyMap<number, number> {
    return transformers(
      () => [
        [3, other],
        [6, weight],
      ],
      () => [...styleOfSd1(weight), [4, other * 0.25], [5, other]],
    );
  }
}

/** What a block of the precise kinds attends to: pictures on the wrong side are shown to the other prompt, and nothing to theirs. */
export function isTurned(weighting: LayerWeighting, block: CrossAttentionBlock): boolean {
  const isSdxl = block.transformers === SDXL_TRANSFORMERS;
  if (weighting.type === 'style transfer precise') {
    return isSdxl ? block.transformer === 3 : block.transformer === 4 || block.transformer === 5;
  }
  if (weighting.type === 'composition precise') {
    return isSdxl ? block.transformer !== 3 : block.transformer !== 4 && block.transformer !== 5;
  }
  return false;
}

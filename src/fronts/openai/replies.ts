/** OpenAI's answers about pictures. */
import { stepsOf, type ImageRequest, type ImageSize } from './request.js';

export function formatOf({ output_format: format }: ImageRequest): 'png' | 'jpeg' | 'webp' {
  return format ?? 'png';
}

/** `url` where it is asked for, or where OpenAI's older models would give it. */
export function givesUrls({ response_format: format, model }: ImageRequest): boolean {
  return format === 'url' || (!format && /^dall-e/.test(model ?? ''));
}

/** No tokens are counted here: they are steps. */
export function usageOf(request: ImageRequest, count: number) {
  const steps = stepsOf(request) * count;
  return {
    input_tokens: 0,
    input_tokens_details: { image_tokens: 0, text_tokens: 0 },
    output_tokens: steps,
    total_tokens: steps,
  };
}

/** What is said of a picture beside it. */
export function factsOf(request: ImageRequest, { width, height }: ImageSize) {
  const quality = request.quality ?? 'auto';
  return {
    background: 'opaque',
    output_format: formatOf(request),
    quality: { auto: 'medium', standard: 'medium', hd: 'high' }[quality as string] ?? quality,
    size: `${width}x${height}`,
  };
}

/** Qwen-Image's encoder, Qwen2.5-VL, which looks at the pictures that are to be edited (ComfyUI comfy/text_encoders/qwen_image.py). */
import type { TokenizeOptions, Token } from '../../text/text-encoding.js';
import { rowEncoder } from '../../text/row-encoder.js';
import { seePicture } from '../../text/vision/vision-tower.js';
import { languageUse, qwenPictureKind } from './language-uses.js';
import { languageNetwork } from '../../text/language/language-network.js';

const [messageStart, user, newline, imagePad] = [151_644, 872, 198, 151_655];

const system = (text: string) =>
  `<|im_start|>system\n${text}<|im_end|>\n<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n`;
const drawing = system(
  'Describe the image by detailing the color, shape, size, texture, quantity, text, spatial relationships of the objects and background:',
);
const editing = system(
  "Describe the key features of the input image (color, shape, size, texture, objects, background), then explain how the user's text instruction should alter or modify the image. Generate a new image that meets the user's requirements while maintaining consistency with the original input where appropriate.",
);
/** What the nodes of Qwen-Image-Edit put around a prompt that says itself where its pictures are. */
export const qwenEditTemplate = editing;

/** A text that begins as a template does is one already. */
function template(text: string, { template: given, pictures = [] }: TokenizeOptions): string {
  if (/^<\|(?:im_start|start_header_id)\|>/.test(text)) return text;
  const shown =
    given ??
    (pictures.length === 0
      ? drawing
      : editing.replace('{}', '<|vision_start|><|image_pad|><|vision_end|>{}'));
  return shown.replace('{}', () => text);
}

/** The second message's beginning, and what says whose it is: all before is the template's. */
function afterSystem(tokens: readonly Token[]): number {
  let found = -1;
  let count = 0;
  tokens.forEach((token, index) => {
    if (token !== messageStart || count === 2) return;
    found = index;
    count += 1;
  });
  if (found < 0) return Math.max(0, tokens.length - 1);
  const isUser = tokens.length > found + 3 && tokens[found + 1] === user && tokens[found + 2] === newline;
  return isUser ? found + 3 : found;
}

export const qwenImage = rowEncoder({
  ...languageUse('qwen25_7b', 3584),
  network: languageNetwork(qwenPictureKind),
  template,
  pictures: { token: imagePad, look: seePicture },
  cut: afterSystem,
  givesMask: 'where padded',
});

/** What Comfy API v2's requests are; they are checked with this, and /openapi.json shows it. */
import { z } from 'zod';
import { shorten } from '../../../safe-text.js';
import { ApiFault } from './fault.js';

/** How content is named: `blake3:` and 64 hexadecimal digits. */
export const contentHash = z
  .string()
  .regex(/^blake3:[\da-f]{64}$/, 'must be blake3: and 64 hexadecimal digits');

const seconds = z.coerce.number().int().min(60).max(604_800);

export const submission = z.looseObject({
  workflow: z.record(z.string(), z.unknown()).describe("a workflow in ComfyUI's API format"),
  extra_data: z
    .strictObject({ api_key_comfy_org: z.string().optional() })
    .optional()
    .describe('neither kept nor used: nothing here asks Comfy.org'),
  // Reserved, and refused until they mean something.
  webhook_url: z.never('is not taken here; see --webhook').optional(),
  inputs: z.never('is not taken here: put values into the workflow').optional(),
});

export const upload = z.object({
  file: z.string().meta({ format: 'binary' }),
  content_type: z.string().min(1).max(255),
  file_path: z.string().min(1).max(1000).describe('a name, with folders or without'),
  expected_hash: contentHash.optional(),
  tags: z.union([z.string(), z.array(z.string())]).optional(),
  expires_in: seconds.optional().describe('not used: assets stay until they are deleted'),
});

/** Its form's fields, but for the file. */
export const uploadFields = upload.omit({ file: true });

export const fromHash = z.object({
  hash: contentHash,
  file_path: z.string().min(1).max(1000).optional(),
  tags: z.array(z.string()).optional(),
  expires_in: seconds.optional(),
});

/** Throws `ApiFault` (422) with what is wrong first. */
export function check<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  code: string,
): z.infer<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where =
    issue === undefined || issue.path.length === 0 ? '' : `${shorten(issue.path.join('.'), 100)}: `;
  throw new ApiFault(422, code, `${where}${issue?.message ?? 'it is not what is taken here'}`);
}

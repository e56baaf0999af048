/** What `latentd pull` is told to fetch. */
import { shorten } from '../safe-text.js';
import { PullError } from './pull-error.js';

export type Reference =
  | { readonly site: 'hf'; readonly repo: string; readonly revision: string; readonly file: string }
  /** A model's newest version, or one version. */
  | { readonly site: 'civitai'; readonly model?: string; readonly version?: string }
  | { readonly site: 'web'; readonly url: URL };

const FORMS = 'hf:OWNER/REPO/FILE, civitai:ID, civitai:ID@VERSION or an https address';

/**
 * Reads `hf:OWNER/REPO[@REVISION]/FILE`, `civitai:MODEL[@VERSION]`, an address, or an address of either site's pages, which mean
 * the file that they show. Throws `PullError`.
 */
export function parseReference(text: string): Reference {
  const found = /^hf:/i.test(text)
    ? huggingFace(text.slice(3))
    : /^civitai:/i.test(text)
      ? civitai(text.slice(8))
      : web(text);
  if (found !== undefined) return found;
  throw new PullError(`${JSON.stringify(shorten(text))} is no reference; give ${FORMS}`);
}

function huggingFace(text: string): Reference | undefined {
  const match = /^\/*([\w.-]+\/[\w.-]+)(?:@([^/\s]+))?\/([^?#]+)$/.exec(text);
  if (match === null || match[3]!.split('/').some((part) => ['', '.', '..'].includes(part))) return undefined;
  return { site: 'hf', repo: match[1]!, revision: match[2] ?? 'main', file: match[3]! };
}

function civitai(text: string): Reference | undefined {
  const match = /^(\d+)(?:@(\d+))?$/.exec(text);
  if (match === null) return undefined;
  return { site: 'civitai', model: match[1]!, ...(match[2] !== undefined && { version: match[2] }) };
}

function web(text: string): Reference | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return undefined;
  if (/^(www\.)?(huggingface\.co|hf\.co)$/.test(url.hostname)) {
    const match = /^\/([^/]+\/[^/]+)\/(?:resolve|blob|raw)\/([^/]+)\/(.+)$/.exec(url.pathname);
    if (match !== null) return huggingFace(`${match[1]!}@${match[2]!}/${decodeURIComponent(match[3]!)}`);
  }
  if (/^(www\.)?civitai\.com$/.test(url.hostname)) {
    const download = /^\/api\/download\/models\/(\d+)/.exec(url.pathname);
    if (download !== null) return { site: 'civitai', version: download[1]! };
    const page = /^\/models\/(\d+)/.exec(url.pathname);
    const version = url.searchParams.get('modelVersionId');
    if (page !== null) return civitai(version === null ? page[1]! : `${page[1]!}@${version}`);
  }
  return { site: 'web', url };
}

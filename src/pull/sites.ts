/** What the sites say of a file before it is fetched: name, size, hash, kind, and the address of its bytes. */
import { posix } from 'node:path';
import { isModelFolder } from '../models/folders/well-known.js';
import { shorten } from '../safe-text.js';
import { PullError } from './pull-error.js';
import type { Reference } from './reference.js';
import { ask } from './request.js';

/** Where the sites are, and who asks. */
export interface Sites {
  readonly huggingFace: string;
  readonly civitai: string;
  readonly huggingFaceToken?: string | undefined;
  readonly civitaiToken?: string | undefined;
}

export interface RemoteFile {
  /** The address of its bytes, which may send on elsewhere. */
  readonly url: URL;
  readonly token?: string | undefined;
  /** As the site names it, not yet made safe. */
  readonly name: string | undefined;
  /** A subfolder of the models folder that the site's own words point at. */
  readonly folder?: string | undefined;
  readonly size?: number | undefined;
  /** Lower-case hexadecimal. */
  readonly sha256?: string | undefined;
}

/** Throws `PullError`. */
export function locate(reference: Reference, sites: Sites, signal?: AbortSignal): Promise<RemoteFile> {
  switch (reference.site) {
    case 'hf':
      return onHuggingFace(reference, sites, signal);
    case 'civitai':
      return onCivitai(reference, sites, signal);
    case 'web':
      return onTheWeb(reference.url, signal);
  }
}

/** The answer of its `resolve` address names what it sends on to: size, and for large files their SHA-256. */
async function onHuggingFace(
  { repo, revision, file }: Extract<Reference, { site: 'hf' }>,
  sites: Sites,
  signal: AbortSignal | undefined,
): Promise<RemoteFile> {
  const token = sites.huggingFaceToken;
  const path = file.split('/').map(encodeURIComponent).join('/');
  const at = (commit: string) =>
    below(sites.huggingFace, `${repo}/resolve/${encodeURIComponent(commit)}/${path}`);
  const { headers } = await ask({ url: at(revision), method: 'HEAD', token, signal, stayHere: true });
  const sha256 = hexadecimal(headers.get('x-linked-etag'));
  const size = headers.get('x-linked-size');
  // Of one commit, so that all parts are parts of the same file.
  const commit = /^[\da-f]{40}$/.exec(headers.get('x-repo-commit') ?? '')?.[0];
  return {
    url: at(commit ?? revision),
    token,
    name: posix.basename(file),
    folder: folderOnTheWay(file),
    sha256,
    size: size === null ? undefined : Number(size),
  };
}

/** Comfy-Org's repositories are laid out as models folders: `split_files/vae/ae.safetensors`. */
function folderOnTheWay(file: string): string | undefined {
  return file
    .split('/')
    .slice(0, -1)
    .findLast((part) => isModelFolder(part));
}

const CIVITAI_TYPES: Readonly<Record<string, string>> = {
  Checkpoint: 'checkpoints',
  LORA: 'loras',
  LoCon: 'loras',
  DoRA: 'loras',
  TextualInversion: 'embeddings',
  Controlnet: 'controlnet',
  Upscaler: 'upscale_models',
  VAE: 'vae',
  Hypernetwork: 'hypernetworks',
};

interface CivitaiVersion {
  readonly id: number;
  readonly model?: { readonly type?: string };
  readonly files?: readonly {
    readonly name?: string;
    readonly type?: string;
    readonly primary?: boolean;
    readonly hashes?: { readonly SHA256?: string };
    readonly downloadUrl?: string;
  }[];
}

async function onCivitai(
  { model, version }: Extract<Reference, { site: 'civitai' }>,
  sites: Sites,
  signal: AbortSignal | undefined,
): Promise<RemoteFile> {
  const token = sites.civitaiToken;
  const get = async (path: string): Promise<unknown> =>
    (await ask({ url: below(sites.civitai, `api/v1/${path}`), token, signal })).json();
  let type: string | undefined;
  let wanted: CivitaiVersion | undefined;
  if (version === undefined) {
    const answer = (await get(`models/${model!}`)) as { type?: string; modelVersions?: CivitaiVersion[] };
    type = answer.type;
    wanted = answer.modelVersions?.[0];
  } else {
    wanted = (await get(`model-versions/${version}`)) as CivitaiVersion;
    type = wanted.model?.type;
  }
  const files = wanted?.files ?? [];
  const file =
    files.find(({ primary }) => primary === true) ?? files.find((one) => one.type === 'Model') ?? files[0];
  if (wanted === undefined || file === undefined) {
    throw new PullError(
      `civitai has no file of ${version === undefined ? `model ${model!}` : `version ${version}`}`,
    );
  }
  return {
    url: civitaiDownload(sites, wanted.id, file.downloadUrl),
    token,
    name: file.name,
    folder: type === undefined ? undefined : CIVITAI_TYPES[type],
    sha256: hexadecimal(file.hashes?.SHA256 ?? null),
  };
}

/** The address that the answer names, asked of where civitai is taken to be; a token never goes anywhere else. */
function civitaiDownload(sites: Sites, id: number, named: string | undefined): URL {
  const path = `api/download/models/${id}`;
  const query = named !== undefined && URL.canParse(named) ? new URL(named).search : '';
  return below(sites.civitai, `${path}${query}`);
}

/** The bytes' own answer tells all that there is. */
async function onTheWeb(url: URL, signal: AbortSignal | undefined): Promise<RemoteFile> {
  const response = await ask({ url, signal, headers: { range: 'bytes=0-0' } });
  await response.body?.cancel();
  return { url, name: dispositionName(response) ?? lastOf(url) ?? lastOf(new URL(response.url)) };
}

/** RFC 6266, section 4: `filename*` before `filename`. */
export function dispositionName({ headers }: Response): string | undefined {
  const header = headers.get('content-disposition') ?? '';
  const extended = /filename\*\s*=\s*utf-8''([^;\s]+)/i.exec(header)?.[1];
  if (extended !== undefined) {
    try {
      return decodeURIComponent(extended);
    } catch {
      // Not encoded as it says: the plain form is left.
    }
  }
  const plain = /filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))/i.exec(header);
  return plain?.[1]?.replace(/\\(.)/g, '$1') ?? plain?.[2];
}

function lastOf({ pathname }: URL): string | undefined {
  try {
    const name = decodeURIComponent(posix.basename(pathname));
    return name.includes('.') ? name : undefined;
  } catch {
    return undefined;
  }
}

/** `path` below a site's address, which may have a path of its own, as mirrors have. */
function below(site: string, path: string): URL {
  if (!URL.canParse(site)) throw new PullError(`${JSON.stringify(shorten(site))} is no address of a site`);
  return new URL(path, site.endsWith('/') ? site : `${site}/`);
}

function hexadecimal(hash: string | null): string | undefined {
  return /^"?([\da-f]{64})"?$/i.exec(hash ?? '')?.[1]?.toLowerCase();
}

/** What this server can do, in the words of ComfyUI's comfy_api/feature_flags.py. */
export function serverFeatures(maxUpload: number) {
  return {
    supports_preview_metadata: true,
    supports_model_type_tags: true,
    max_upload_size: maxUpload,
    extension: { manager: { supports_v4: true } },
    node_replacements: true,
    assets: false,
  };
}

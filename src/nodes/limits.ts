/** The longest side of an image in pixels (ComfyUI nodes.py, MAX_RESOLUTION). */
export const MAX_RESOLUTION = 16384;

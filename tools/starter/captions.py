"""What is said about a picture, in several wordings; some leave things out, as people do."""

from scene import SUBJECTS

_prefixes = ("", "", "", "pixel art of ", "pixel art sprite of ", "a pixel art ", "sprite of ", "pixel art, ", "a picture of ")
_suffixes = (
    "", "", "", ", pixel art", ", pixel art", " sprite", ", game sprite", ", 16-bit game asset",
    ", 16-bit game asset, whole figure, centered, plain background, crisp pixels, limited palette",
)
NEGATIVES = (
    "blurry, soft edges, antialiasing, gradients, photo, 3d render, text, watermark, cropped",
    "blurry", "blurry, photo", "low quality, bad", "text, watermark, ugly", "bad quality, blurry, noise",
)
_scenes = {
    "grass": ("on grass", "on green grass", "in a meadow", "in a field"),
    "desert": ("in the desert", "on sand", "in a desert"),
    "snow": ("in the snow", "on snow", "in winter"),
    "night sky": ("at night", "under the stars", "in the night sky", "in space"),
    "cave": ("in a cave", "in a dungeon", "in a dark cave"),
}


def colour_word(name, r):
    if name == "gray":
        return r.choice(("gray", "gray", "grey"))
    if name == "gold":
        return r.choice(("gold", "golden"))
    if name == "iron":
        return r.choice(("iron", "steel"))
    return name


def caption(scene, r):
    names = (scene.subject, scene.subject, scene.subject) + SUBJECTS[scene.subject][3]
    words = [colour_word(scene.colour, r), r.choice(names)]
    if scene.size and r.random() < 0.9:
        words.insert(0, r.choice(("small", "tiny", "little") if scene.size == "small" else ("big", "large", "giant")))
    text = " ".join(words)
    if r.random() < 0.8:
        text = ("an " if text[0] in "aeiou" else "a ") + text
    if scene.accessory and r.random() < 0.9:
        one = not scene.accessory.endswith("s")
        second = colour_word(scene.second, r)
        article = ("an " if second[0] in "aeiou" else "a ") if one else ""
        text += f" {r.choice(('with', 'with', 'and'))} {article}{second} {scene.accessory}"
    if r.random() < 0.75:
        if scene.background in _scenes:
            text += " " + r.choice(_scenes[scene.background])
        else:
            text += r.choice((" on a {} background", " on {}", ", {} background")).format(scene.background)
    prefix, suffix = r.choice(_prefixes), r.choice(_suffixes)
    if prefix == "a pixel art ":
        text = text.removeprefix("an ").removeprefix("a ")
    return prefix + text + suffix



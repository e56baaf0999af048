"""One picture and what can be said about it, from a seed: subject, colour, accessory, size, background."""

import random

import numpy as np

import creatures
import things
from canvas import SIDE, Canvas
from palettes import COLOURS, INK, MATERIALS, PLAIN, RAMPS, jitter

# Each subject: its painter, the accessories that it can have, whether it may be tilted, other names.
SUBJECTS = {
    "knight": (creatures.knight, ("shield", "sword", "plume", "cape"), 0, ("warrior",)),
    "wizard": (creatures.wizard, ("staff", "belt", "hat band"), 0, ("mage", "sorcerer")),
    "slime": (creatures.slime, ("crown", "hat"), 0, ("blob",)),
    "skeleton": (creatures.skeleton, ("sword", "shield", "helmet", "crown"), 0, ()),
    "dragon": (creatures.dragon, ("wings", "belly", "horns"), 0, ()),
    "ghost": (creatures.ghost, ("hat", "bow tie"), 0.1, ("spirit",)),
    "robot": (creatures.robot, ("antenna", "buttons"), 0, ()),
    "cat": (creatures.cat, ("collar", "hat", "scarf"), 0, ("kitten",)),
    "fish": (creatures.fish, ("fins", "stripes"), 0.15, ()),
    "bat": (creatures.bat, ("eyes",), 0.1, ()),
    "spider": (creatures.spider, ("eyes", "markings"), 0, ()),
    "snail": (creatures.snail, ("body",), 0, ()),
    "bird": (creatures.bird, ("wings", "crest"), 0.1, ()),
    "crab": (creatures.crab, ("claws",), 0, ()),
    "mushroom": (things.mushroom, ("spots",), 0, ("toadstool",)),
    "tree": (things.tree, ("fruit",), 0, ()),
    "cactus": (things.cactus, ("flower", "pot"), 0, ()),
    "flower": (things.flower, ("middle",), 0.1, ()),
    "castle": (things.castle, ("flag", "roofs"), 0, ("fortress",)),
    "house": (things.house, ("roof", "chimney"), 0, ("cottage",)),
    "ship": (things.ship, ("sails", "flag"), 0.06, ("boat",)),
    "rocket": (things.rocket, ("fins", "nose"), 0.3, ("spaceship",)),
    "chest": (things.chest, ("lock", "trim"), 0, ("treasure chest",)),
    "sword": (things.sword, ("handle",), 0.9, ("blade",)),
    "axe": (things.axe, ("handle",), 0.7, ()),
    "shield": (things.shield, ("cross", "stripe", "star"), 0.1, ()),
    "potion": (things.potion, ("cork",), 0.2, ("potion bottle", "elixir")),
    "key": (things.key, ("gem",), 0.9, ()),
    "crown": (things.crown, ("gems",), 0.1, ()),
    "gem": (things.gem, (), 0.1, ("diamond", "crystal")),
    "heart": (things.heart, ("arrow", "wings"), 0.1, ()),
    "bomb": (things.bomb, ("skull", "stripe"), 0.1, ()),
    "book": (things.book, ("star",), 0.1, ("tome",)),
    "apple": (things.apple, ("leaf",), 0.1, ()),
    "boot": (things.boot, ("cuff", "buckle"), 0, ()),
    "lantern": (things.lantern, ("glow",), 0.1, ("lamp",)),
}

SCENES = ("grass", "desert", "snow", "night sky", "cave")
_scales = {"small": (8.2, 9.2), "": (11.2, 12.6), "big": (13.6, 14.2)}
_clashes = {
    "white": ("white", "snow", "light gray"),
    "gray": ("dark gray", "light gray", "cave"),
    "green": ("grass", "light green"),
    "blue": ("light blue", "dark blue", "night sky"),
    "teal": ("light blue",),
    "yellow": ("desert", "beige"),
    "orange": ("desert",),
    "brown": ("cave", "desert"),
}


class Scene:
    """What a picture shows. `subject`, `colour` and the rest are names; `second` colours the accessory."""

    def __init__(self, seed, **wanted):
        r = random.Random(seed)
        self.seed = seed
        self.subject = r.choice(tuple(SUBJECTS))
        self.colour = r.choice(COLOURS)
        self.subject = wanted.get("subject", self.subject)
        self.colour = wanted.get("colour", self.colour)
        accessories = SUBJECTS[self.subject][1]
        self.accessory = r.choice(accessories) if accessories and r.random() < 0.45 else None
        others = [name for name in COLOURS + tuple(MATERIALS) if name != self.colour]
        self.second = r.choice(others)
        self.size = r.choices(("", "small", "big"), (0.6, 0.2, 0.2))[0]
        grounds = [g for g in tuple(PLAIN) + SCENES if g not in _clashes.get(self.colour, ())]
        plain = [g for g in grounds if g in PLAIN]
        scenes = [g for g in grounds if g not in PLAIN]
        self.background = r.choice(plain) if r.random() < 0.65 else r.choice(scenes)
        for name in ("accessory", "second", "size", "background"):
            setattr(self, name, wanted.get(name, getattr(self, name)))
        self.random = r


def draw(scene, style=None):
    """The picture as uint8 [32, 32, 3]. `style` "flat" leaves shading and outlines out (the style of the LoRA)."""
    r = scene.random
    paint, _, tilt, _ = SUBJECTS[scene.subject]
    scale = r.uniform(*_scales[scene.size])
    flip = r.random() < 0.5
    angle = r.uniform(-tilt, tilt)
    shading = r.choices(("edge", "deep", "dither", "flat"), (0.55, 0.25, 0.1, 0.1))[0]
    outline = r.choices((INK, "own", None), (0.6, 0.32, 0.08))[0]
    main = jitter(RAMPS[scene.colour], r)
    second = jitter(RAMPS.get(scene.second) or MATERIALS[scene.second], r)
    ground, horizon = _ground(scene.background, r)
    room = (SIDE / 2 - 1) - scale
    x = SIDE / 2 + r.uniform(-1, 1) * max(room * 0.6, 0.0)
    y = SIDE / 2 + (r.uniform(-1, 1) * max(room * 0.5, 0) if horizon is None else min(room, horizon + 3 - SIDE / 2 - scale * 0.92))
    canvas = Canvas(scale, (x, y), flip, angle, shading)
    paint(canvas, r, main, second, scene.accessory)
    if style == "monochrome":
        return monochrome(canvas.finish(ground, INK))
    return canvas.finish(ground, outline)


def monochrome(picture):
    """Four greens, as of a handheld console of 1989."""
    greens = np.array(((15, 56, 15), (48, 98, 48), (139, 172, 15), (202, 220, 159)), np.uint8)
    light = picture @ np.array((0.299, 0.587, 0.114))
    return greens[np.digitize(light, (64, 128, 200))]


def _ground(name, r):
    """The background and, where it has one, the row at which the ground begins."""
    picture = np.empty((SIDE, SIDE, 3), np.float32)
    shade = r.uniform(-5, 5)
    if name in PLAIN:
        picture[:] = np.array(PLAIN[name]) + shade
        return picture, None
    sky, earth, fleck = {
        "grass": ((150, 206, 240), (92, 160, 70), (70, 132, 56)),
        "desert": ((190, 226, 244), (228, 200, 136), (204, 172, 108)),
        "snow": ((176, 204, 232), (236, 242, 250), (206, 220, 238)),
        "night sky": ((22, 26, 58), None, (250, 246, 200)),
        "cave": ((40, 34, 46), (74, 64, 76), (58, 50, 62)),
    }[name]
    picture[:] = np.array(sky) + shade
    if earth is None:
        for _ in range(r.randint(5, 9)):
            picture[r.randrange(SIDE), r.randrange(SIDE)] = fleck
        return picture, None
    horizon = r.randint(23, 26)
    picture[horizon:] = np.array(earth) + shade
    for _ in range(r.randint(6, 10)):
        picture[r.randrange(horizon, SIDE), r.randrange(SIDE)] = np.array(fleck) + shade
    return picture, horizon

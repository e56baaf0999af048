"""Plants, buildings, vehicles and items; painters as in `creatures`."""

from creatures import eyes
from palettes import EYE_WHITE, INK

WOOD = ((52, 28, 12), (102, 64, 32), (134, 88, 48), (166, 116, 70))
LEAF = ((14, 58, 24), (36, 116, 46), (66, 160, 66), (130, 206, 100))
STEM = ((70, 62, 50), (206, 190, 160), (236, 224, 200), (250, 244, 230))
GLASS = (176, 226, 246)
CORK = ((60, 36, 18), (146, 98, 54), (184, 132, 80), (214, 168, 116))


def mushroom(c, r, main, second, extra):
    stem = r.uniform(0.2, 0.3)
    c.paint(c.box(-stem, 0.0, stem, 0.9) | c.ellipse(0, 0.85, stem * 1.25, 0.14), STEM)
    c.paint(c.ellipse(0, 0.12, 0.88, r.uniform(0.85, 1.02)) & (c.y < 0.16), main, "deep")
    if extra == "spots" or extra is None:
        spots = second if extra else ((200, 200, 200), (240, 240, 240), (255, 255, 255), (255, 255, 255))
        for x, y, s in ((-0.42, -0.2, 0.14), (0.08, -0.48, 0.16), (0.5, -0.12, 0.12)):
            c.paint(c.ellipse(x + r.uniform(-0.06, 0.06), y, s, s), spots, "flat")
    if extra == "eyes" or r.random() < 0.4:
        eyes(c, -0.12, 0.12, 0.42, white=False, size=0.08)


def tree(c, r, main, second, extra):
    c.paint(c.box(-0.13, 0.3, 0.13, 0.95), WOOD)
    kind = r.choice(("round", "pine", "cloud"))
    if kind == "round":
        c.paint(c.ellipse(0, -0.22, 0.74, 0.72), main, "deep")
    elif kind == "pine":
        for top, y, w in ((-0.2, 0.55, 0.74), (-0.6, 0.12, 0.6), (-1.0, -0.32, 0.44)):
            c.paint(c.polygon((-w, y), (w, y), (0, top)), main)
    else:
        for x, y, s in ((-0.38, 0.05, 0.42), (0.38, 0.05, 0.42), (0, -0.4, 0.52), (0, 0.12, 0.4)):
            c.paint(c.ellipse(x, y, s, s), main)
    if extra == "fruit":
        for x, y in ((-0.32, -0.05), (0.3, 0.08), (0.04, -0.42)):
            c.paint(c.dot(x, y, 0.11), second, "flat")


def cactus(c, r, main, second, extra):
    for s in (-1, 1):
        y = r.uniform(-0.1, 0.3)
        c.paint(c.line(0, y + 0.2, s * 0.52, y + 0.2, 0.22) | c.line(s * 0.55, y + 0.2, s * 0.55, y - 0.3, 0.24), main)
    c.paint(c.line(0, 0.9, 0, -0.65, 0.46) & (c.y < 0.95), main, "deep")
    for y in (-0.5, -0.1, 0.3, 0.65):
        c.spot(c.dot(r.choice((-0.05, 0.06)), y), main[0])
    if extra == "flower":
        c.paint(c.ellipse(0, -0.92, 0.2, 0.15), second)
    if extra == "pot":
        c.paint(c.polygon((-0.45, 0.5), (0.45, 0.5), (0.34, 0.98), (-0.34, 0.98)), second)


def flower(c, r, main, second, extra):
    c.paint(c.line(0, 0.0, r.uniform(-0.08, 0.08), 0.95, 0.09), LEAF, "flat")
    for s in (-1, 1):
        c.paint(c.ellipse(s * 0.24, 0.62 + r.uniform(-0.08, 0.08), 0.22, 0.1), LEAF, "flat")
    if r.random() < 0.65:
        for x, y in ((0, -0.72), (0.38, -0.42), (0.24, 0.02), (-0.24, 0.02), (-0.38, -0.42)):
            c.paint(c.ellipse(x, y + 0.04, 0.28, 0.28), main)
        middle = second if extra == "middle" else ((120, 80, 0), (230, 180, 20), (255, 216, 60), (255, 236, 130))
        c.paint(c.ellipse(0, -0.3, 0.18, 0.18), middle, "flat")
    else:
        c.paint(c.polygon((-0.4, -0.75), (-0.18, -0.45), (0, -0.85), (0.18, -0.45), (0.4, -0.75), (0.38, -0.1), (0.15, 0.12), (-0.15, 0.12), (-0.38, -0.1)), main)
        if extra == "middle":
            c.paint(c.ellipse(0, -0.2, 0.14, 0.14), second, "flat")


def castle(c, r, main, second, extra):
    tall = r.uniform(-0.7, -0.5)
    c.paint(c.box(-0.42, -0.1, 0.42, 0.95), main)
    for x in (-0.36, 0, 0.36):
        c.paint(c.box(x - 0.11, -0.28, x + 0.11, -0.08), main)
    for s in (-1, 1):
        c.paint(c.box(s * 0.68 - 0.24, tall, s * 0.68 + 0.24, 0.95), main)
        if extra == "roofs":
            c.paint(c.polygon((s * 0.68 - 0.32, tall), (s * 0.68 + 0.32, tall), (s * 0.68, tall - 0.42)), second)
        else:
            for x in (-0.18, 0.18):
                c.paint(c.box(s * 0.68 + x - 0.08, tall - 0.16, s * 0.68 + x + 0.08, tall + 0.02), main)
        c.spot(c.box(s * 0.68 - 0.05, tall + 0.25, s * 0.68 + 0.05, tall + 0.45), INK)
    c.spot(c.box(-0.17, 0.55, 0.17, 0.95) | c.ellipse(0, 0.55, 0.17, 0.17), (58, 36, 24))
    if extra == "flag":
        c.spot(c.line(0, -0.3, 0, -1.0, 0.05), INK)
        c.paint(c.polygon((0.03, -1.02), (0.42, -0.86), (0.03, -0.66)), second, "flat")


def house(c, r, main, second, extra):
    c.paint(c.box(-0.58, 0.0, 0.58, 0.95), main)
    roof = second if extra == "roof" else main
    peak = r.uniform(-0.85, -0.65)
    c.paint(c.polygon((-0.82, 0.04), (0.82, 0.04), (0.12, peak), (-0.12, peak)), roof)
    c.spot(c.line(-0.7, 0.06, 0.7, 0.06, 0.06), roof[0])
    door = r.choice((-0.26, 0.22))
    c.spot(c.box(door - 0.13, 0.48, door + 0.13, 0.95), (72, 44, 24))
    c.spot(c.box(-door - 0.14, 0.3, -door + 0.14, 0.56), r.choice((GLASS, (255, 232, 130))))
    if r.random() < 0.5 or extra == "chimney":
        c.paint(c.box(0.34, -0.8, 0.54, -0.3), second if extra == "chimney" else roof)


def ship(c, r, main, second, extra):
    c.paint(c.line(0.02, 0.4, 0.02, -0.98, 0.09), WOOD, "flat")
    sail = second if extra == "sails" else STEM
    swell = r.uniform(0.5, 0.62)
    c.paint(c.polygon((0.1, -0.85), (0.1, 0.12), (swell, 0.05)), sail)
    c.paint(c.polygon((-0.06, -0.7), (-0.06, 0.12), (-0.46, 0.06)), sail)
    c.paint(c.polygon((-0.98, 0.12), (-0.7, 0.22), (0.7, 0.22), (0.98, 0.1), (0.72, 0.92), (-0.64, 0.92)), main, "deep")
    for x in (-0.4, 0, 0.4):
        c.spot(c.dot(x, 0.5, 0.06), main[0])
    if extra == "flag":
        c.paint(c.polygon((0.04, -1.08), (0.42, -0.98), (0.04, -0.84)), second, "flat")


def rocket(c, r, main, second, extra):
    fin = second if extra == "fins" else main
    for s in (-1, 1):
        c.paint(c.polygon((s * 0.24, 0.15), (s * 0.62, 0.62), (s * 0.62, 0.82), (s * 0.22, 0.6)), fin)
    flame = r.uniform(0.95, 1.15)
    c.paint(c.polygon((-0.2, 0.62), (0.2, 0.62), (0, flame)), ((140, 50, 0), (244, 130, 20), (255, 196, 40), (255, 240, 140)), "flat")
    c.paint(c.ellipse(0, -0.05, 0.36, 0.95) & (c.y < 0.68), main, "deep")
    if extra == "nose":
        c.paint(c.ellipse(0, -0.05, 0.36, 0.95) & (c.y < -0.55), second)
    c.spot(c.ellipse(0, -0.22, 0.19, 0.19), main[0])
    c.spot(c.ellipse(0, -0.22, 0.12, 0.12), GLASS)


def chest(c, r, main, second, extra):
    trim = second if extra == "lock" or extra == "trim" else ((100, 62, 4), (196, 140, 12), (244, 200, 48), (255, 244, 160))
    if r.random() < 0.4:
        c.paint(c.polygon((-0.74, -0.1), (0.74, -0.1), (0.8, -0.62), (-0.8, -0.62)), main)
        c.spot(c.box(-0.7, -0.14, 0.7, 0.1), INK)
        for x in (-0.45, -0.15, 0.15, 0.45):
            c.spot(c.dot(x, -0.02, 0.12), (255, 214, 60), (140, 90, 0))
    else:
        c.paint(c.box(-0.78, -0.3, 0.78, 0.1) | c.ellipse(0, -0.2, 0.78, 0.4), main)
    c.paint(c.box(-0.78, 0.06, 0.78, 0.8), main)
    c.spot(c.line(-0.74, 0.1, 0.74, 0.1, 0.05), main[0])
    if extra == "trim":
        for x in (-0.66, 0.66):
            c.paint(c.box(x - 0.12, 0.06, x + 0.12, 0.8), trim)
    c.paint(c.box(-0.14, 0.02, 0.14, 0.36), trim, "flat")
    c.spot(c.dot(0, 0.2), INK)


def sword(c, r, main, second, extra):
    handle = second if extra == "handle" else WOOD
    width = r.uniform(0.26, 0.4)
    h = width / 2
    c.paint(c.polygon((-h, 0.4), (h, 0.4), (h, -0.72), (0, -1.08), (-h, -0.72)), main)
    c.paint(c.line(0, 0.55, 0, 0.85, 0.14), handle, "flat")
    guard = r.uniform(0.34, 0.46)
    c.paint(c.line(-guard, 0.46, guard, 0.46, 0.15), handle)
    c.paint(c.dot(0, 0.94, 0.12), handle)


def axe(c, r, main, second, extra):
    handle = second if extra == "handle" else WOOD
    c.paint(c.line(0, 1.0, 0, -0.85, 0.13), handle, "flat")
    reach = r.uniform(0.6, 0.75)
    c.paint(c.polygon((0.04, -0.75), (reach, -0.95), (reach + 0.12, -0.4), (reach, 0.15), (0.04, -0.1)), main)
    if r.random() < 0.5:
        c.paint(c.polygon((-0.04, -0.75), (-reach, -0.95), (-reach - 0.12, -0.4), (-reach, 0.15), (-0.04, -0.1)), main)


def shield(c, r, main, second, extra):
    if r.random() < 0.5:
        shape = c.box(-0.7, -0.85, 0.7, 0.1) | (c.ellipse(0, 0.05, 0.7, 0.92) & (c.y > 0))
    else:
        shape = c.ellipse(0, 0, 0.78, 0.84)
    c.paint(shape, main, "deep")
    if extra == "cross":
        c.paint((c.box(-0.11, -0.95, 0.11, 1.0) | c.box(-0.9, -0.2, 0.9, 0.02)) & shape, second, "flat")
    elif extra == "stripe":
        c.paint(c.line(-0.7, 0.7, 0.7, -0.7, 0.26) & shape, second, "flat")
    elif extra == "star":
        c.paint(c.polygon((0, -0.45), (0.1, -0.14), (0.42, -0.14), (0.16, 0.06), (0.26, 0.38), (0, 0.18), (-0.26, 0.38), (-0.16, 0.06), (-0.42, -0.14), (-0.1, -0.14)), second, "flat")
    else:
        c.spot(c.dot(0, 0, 0.14), main[0])


def potion(c, r, main, second, extra):
    cork = second if extra == "cork" else CORK
    round_flask = r.random() < 0.6
    shape = c.ellipse(0, 0.34, 0.6, 0.58) if round_flask else c.polygon((-0.16, -0.3), (0.16, -0.3), (0.66, 0.9), (-0.66, 0.9))
    c.paint(c.box(-0.2, -0.55, 0.2, -0.1) | shape, ((70, 96, 112), (168, 210, 226), (206, 236, 246), (240, 252, 255)))
    level = r.uniform(-0.1, 0.1)
    inner = c.ellipse(0, 0.34, 0.6 - c.pixel, 0.58 - c.pixel) if round_flask else shape & c.polygon((-0.05, -0.25), (0.05, -0.25), (0.58, 0.86), (-0.58, 0.86))
    c.paint(inner & (c.y > level), main)
    c.paint(c.box(-0.22, -0.86, 0.22, -0.55), cork)
    c.spot(c.line(-0.3, 0.25, -0.3, 0.4, 0.08), (255, 255, 255))
    for x, y in ((0.15, 0.45), (-0.05, 0.65), (0.28, 0.25)):
        if r.random() < 0.6:
            c.spot(c.dot(x, y), main[3])


def key(c, r, main, second, extra):
    size = r.uniform(0.36, 0.42)
    ring = c.ellipse(0, -0.5, size, size) & ~c.ellipse(0, -0.5, size - 0.2, size - 0.2)
    c.paint(ring | c.line(0, -0.12, 0, 0.9, 0.2), main)
    for y in (0.8, 0.5):
        c.paint(c.box(0.05, y - 0.08, r.uniform(0.32, 0.44), y + 0.1), main, "flat")
    if extra == "gem":
        c.paint(c.ellipse(0, -0.5, size - 0.18, size - 0.18), second)


def crown(c, r, main, second, extra):
    side = r.uniform(-0.55, -0.35)
    c.paint(c.polygon((-0.72, 0.7), (-0.86, side), (-0.4, 0.08), (0, r.uniform(-0.8, -0.6)), (0.4, 0.08), (0.86, side), (0.72, 0.7)), main, "deep")
    for x, y in ((-0.86, side), (0.86, side)):
        c.paint(c.dot(x, y, 0.12), main)
    c.spot(c.line(-0.7, 0.4, 0.7, 0.4, 0.05), main[0])
    gem = second if extra == "gems" else ((90, 10, 30), (180, 30, 60), (230, 60, 90), (255, 150, 170))
    if extra == "gems" or r.random() < 0.5:
        for x in (-0.42, 0, 0.42):
            c.paint(c.dot(x, 0.56, 0.11), gem, "flat")


def gem(c, r, main, second, extra):
    w = r.uniform(0.66, 0.84)
    h = w * 0.55
    c.paint(c.polygon((-h, -0.62), (h, -0.62), (w, -0.22), (0, 0.88), (-w, -0.22)), main)
    c.paint(c.polygon((-h, -0.62), (h, -0.62), (h * 0.6, -0.22), (-h * 0.6, -0.22)), tuple(main[i] for i in (0, 2, 3, 3)), "flat")
    c.paint(c.polygon((h * 0.6, -0.22), (w, -0.22), (0, 0.88)), tuple(main[i] for i in (0, 1, 1, 1)), "flat")
    c.spot(c.dot(-0.2, -0.42), (255, 255, 255))


def heart(c, r, main, second, extra):
    a = r.uniform(0.42, 0.48)
    c.paint(c.ellipse(-a, -0.28, 0.5, 0.5) | c.ellipse(a, -0.28, 0.5, 0.5) | c.polygon((-0.9, -0.08), (0.9, -0.08), (0, 0.92)), main, "deep")
    c.spot(c.line(-0.52, -0.5, -0.36, -0.58, 0.12), (255, 255, 255))
    if extra == "arrow":
        c.paint(c.line(-0.98, 0.5, 0.98, -0.5, 0.12), second, "flat")
        c.paint(c.polygon((0.75, -0.62), (1.1, -0.58), (0.92, -0.28)), second, "flat")
    if extra == "wings":
        for s in (-1, 1):
            c.paint(c.polygon((s * 0.66, -0.1), (s * 1.14, -0.6), (s * 1.1, -0.1), (s * 0.8, 0.2)), second)


def bomb(c, r, main, second, extra):
    c.paint(c.ellipse(-0.05, 0.28, 0.64, 0.62), main, "deep")
    c.paint(c.polygon((0.18, -0.42), (0.48, -0.26), (0.36, -0.02), (0.06, -0.18)), main)
    c.spot(c.line(0.36, -0.36, 0.5, -0.62, 0.07) | c.line(0.5, -0.62, 0.74, -0.7, 0.07), (150, 120, 80), (70, 50, 30))
    c.paint(c.dot(0.82, -0.76, r.uniform(0.13, 0.2)), ((160, 60, 0), (250, 160, 20), (255, 220, 60), (255, 255, 200)), "flat")
    c.spot(c.line(-0.38, 0.04, -0.28, -0.06, 0.12), (255, 255, 255))
    if extra == "skull":
        c.paint(c.ellipse(-0.05, 0.3, 0.26, 0.22) | c.box(-0.18, 0.4, 0.08, 0.58), second, "flat")
        for x in (-0.15, 0.05):
            c.spot(c.dot(x, 0.3), INK)
    if extra == "stripe":
        c.paint(c.box(-0.8, 0.2, 0.8, 0.4) & c.ellipse(-0.05, 0.28, 0.64, 0.62), second, "flat")


def book(c, r, main, second, extra):
    c.paint(c.box(-0.6, -0.8, 0.66, 0.86), main)
    c.paint(c.box(-0.5, 0.64, 0.66, 0.8), ((120, 110, 90), (226, 214, 184), (246, 238, 216), (255, 250, 236)), "flat")
    c.spot(c.line(-0.46, -0.78, -0.46, 0.84, 0.05), main[0])
    emblem = second if extra else tuple(main[i] for i in (0, 1, 3, 3))
    if extra == "star" or (extra is None and r.random() < 0.5):
        c.paint(c.polygon((0.1, -0.42), (0.18, -0.16), (0.44, -0.16), (0.24, 0.0), (0.32, 0.28), (0.1, 0.12), (-0.12, 0.28), (-0.04, 0.0), (-0.24, -0.16), (0.02, -0.16)), emblem, "flat")
    else:
        c.paint(c.box(-0.2, -0.4, 0.42, -0.26) | c.box(-0.2, -0.1, 0.42, 0.04), emblem, "flat")


def apple(c, r, main, second, extra):
    c.paint(c.ellipse(-0.26, 0.2, 0.48, 0.62) | c.ellipse(0.26, 0.2, 0.48, 0.62), main, "deep")
    c.spot(c.line(0, -0.36, r.uniform(0.02, 0.14), -0.78, 0.1), (92, 58, 30), (44, 26, 12))
    c.paint(c.ellipse(0.3, -0.68, 0.26, 0.13), second if extra == "leaf" else LEAF, "flat")
    c.spot(c.line(-0.42, -0.06, -0.3, -0.18, 0.12), (255, 255, 255))


def boot(c, r, main, second, extra):
    tall = r.uniform(-0.85, -0.6)
    c.paint(c.box(-0.52, tall, 0.08, 0.7) | c.ellipse(0.25, 0.52, 0.55, 0.34) | c.box(-0.52, 0.4, 0.3, 0.84), main, "deep")
    c.paint(c.box(-0.58, tall - 0.08, 0.14, tall + 0.16), second if extra == "cuff" else tuple(main[i] for i in (0, 2, 3, 3)))
    c.spot(c.box(-0.54, 0.8, 0.8, 0.92), main[0])
    if extra == "buckle":
        c.paint(c.box(-0.54, 0.06, 0.1, 0.22), second, "flat")
        c.spot(c.dot(-0.1, 0.14, 0.08), (255, 255, 200))


def lantern(c, r, main, second, extra):
    c.paint(c.ellipse(0, -0.72, 0.3, 0.26) & ~c.ellipse(0, -0.72, 0.3 - 1.3 * c.pixel, 0.26 - 1.3 * c.pixel), main, "flat")
    c.paint(c.polygon((-0.5, -0.3), (0.5, -0.3), (0.26, -0.64), (-0.26, -0.64)), main)
    c.paint(c.box(-0.5, -0.3, 0.5, 0.88), main)
    glow = second if extra == "glow" else ((150, 90, 0), (250, 200, 60), (255, 232, 120), (255, 250, 210))
    w = r.uniform(0.2, 0.26)
    c.paint(c.box(-w, -0.1, w, 0.6), glow)

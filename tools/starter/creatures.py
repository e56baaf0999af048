"""Figures and beasts. Each painter takes the canvas, a random source, the main and second ramps and the accessory."""

from palettes import BONE, EYE_WHITE, INK, SKIN


def eyes(c, left, right, y, rng=None, white=True, size=0.0):
    for x in (left, right):
        if white:
            c.spot(c.dot(x, y, max(size, 1.15 * c.pixel)), EYE_WHITE)
        c.spot(c.dot(x + (0.5 * c.pixel if white else 0), y, size * 0.5), INK)


def _sword(c, ramp, x, y, length, handle):
    c.paint(c.line(x, y, x, y - length, 0.13), ramp)
    c.paint(c.line(x - 0.16, y, x + 0.16, y, 0.1), handle, "flat")
    c.paint(c.line(x, y, x, y + 0.16, 0.1), handle, "flat")


def _round_shield(c, ramp, x, y, r):
    c.paint(c.ellipse(x, y, r, r * 1.15), ramp)
    c.spot(c.dot(x, y, r * 0.25), ramp[1], ramp[0])


def knight(c, r, main, second, extra):
    stance = r.uniform(0.16, 0.26)
    for s in (-1, 1):
        c.paint(c.box(s * stance - 0.13, 0.45, s * stance + 0.13, 0.95), main)
        c.paint(c.line(s * 0.34, 0.0, s * 0.52, r.uniform(0.2, 0.4), 0.22), main)
    c.paint(c.box(-0.36, -0.15, 0.36, 0.55), main)
    c.spot(c.box(-0.36, 0.36, 0.36, 0.44), main[0])
    head = r.uniform(0.32, 0.38)
    c.paint(c.ellipse(0, -0.5, head, 0.4), main)
    if r.random() < 0.5:
        c.spot(c.box(-0.24, -0.56, 0.28, -0.44), INK)
    else:
        c.spot(c.box(-0.2, -0.56, 0.24, -0.46) | c.box(-0.04, -0.56, 0.08, -0.24), INK)
    if extra == "plume":
        c.paint(c.line(0, -0.85, -0.4, -0.78, 0.24) | c.line(-0.36, -0.78, -0.5, -0.5, 0.16), second)
    if extra == "shield":
        _round_shield(c, second, 0.52, 0.25, 0.3)
    if extra == "sword":
        _sword(c, second, 0.64, 0.34, 0.95, ((40, 26, 16), (80, 50, 30), (110, 70, 40), (140, 100, 60)))
    if extra == "cape":
        c.paint(c.polygon((-0.36, -0.1), (-0.5, -0.05), (-0.78, 0.85), (-0.36, 0.75)), second)


def wizard(c, r, main, second, extra):
    lean = r.uniform(-0.2, 0.25)
    c.paint(c.polygon((-0.22, -0.15), (0.22, -0.15), (0.55, 0.95), (-0.55, 0.95)), main)
    arm = r.uniform(0.1, 0.35)
    c.paint(c.line(0.2, 0.0, 0.5, arm, 0.22), main)
    c.paint(c.line(-0.2, 0.0, -0.46, 0.4, 0.22), main)
    c.paint(c.ellipse(0, -0.3, 0.27, 0.26), SKIN)
    beard = BONE if r.random() < 0.75 else ((40, 26, 16), (110, 70, 40), (150, 100, 60), (180, 130, 80))
    c.paint(c.polygon((-0.26, -0.25), (0.26, -0.25), (r.uniform(-0.05, 0.05), r.uniform(0.25, 0.5))), beard)
    eyes(c, -0.1, 0.12, -0.34, white=False)
    c.paint(c.polygon((-0.34, -0.48), (0.34, -0.48), (lean, -1.05)), main)
    c.paint(c.box(-0.52, -0.52, 0.52, -0.42), main, "flat")
    if extra == "staff":
        c.paint(c.line(0.58, 0.95, 0.58, -0.5, 0.09), ((52, 28, 12), (92, 58, 30), (120, 80, 44), (150, 104, 60)), "flat")
        c.paint(c.ellipse(0.58, -0.58, 0.17, 0.17), second)
    if extra == "belt":
        c.paint(c.box(-0.35, 0.38, 0.35, 0.52) & c.covered, second, "flat")
    if extra == "hat band":
        c.paint(c.box(-0.3, -0.66, 0.3, -0.52) & c.covered, second, "flat")


def slime(c, r, main, second, extra):
    squash = r.uniform(0.85, 1.15)
    top = 0.9 - 1.25 / squash
    body = c.ellipse(0, 0.5, 0.82 * squash, 0.5 - top) & (c.y < 0.9)
    body |= c.ellipse(0, 0.72, 0.9 * squash, 0.22)
    c.paint(body, main, "deep")
    c.spot(c.line(-0.4, top + 0.35, -0.25, top + 0.22, 0.12), (255, 255, 255))
    gap = r.uniform(0.2, 0.32)
    eyes(c, -gap, gap, 0.38, size=0.1)
    if r.random() < 0.6:
        c.spot(c.line(-0.12, 0.64, 0.12, 0.64, 0.06), INK)
    else:
        c.spot(c.ellipse(0, 0.66, 0.13, 0.1), INK)
    if extra == "crown":
        c.paint(c.polygon((-0.32, top + 0.1), (-0.36, top - 0.3), (-0.15, top - 0.1), (0, top - 0.36), (0.15, top - 0.1), (0.36, top - 0.3), (0.32, top + 0.1)), second)
    if extra == "hat":
        c.paint(c.box(-0.45, top, 0.45, top + 0.12) | c.box(-0.26, top - 0.34, 0.26, top + 0.05), second)


def skeleton(c, r, main, second, extra):
    c.paint(c.line(0, -0.25, 0, 0.42, 0.12), main, "flat")
    for y in (-0.1, 0.08, 0.26):
        c.paint(c.line(-0.26, y, 0.26, y, 0.1), main, "flat")
    c.paint(c.box(-0.24, 0.4, 0.24, 0.54), main)
    step = r.uniform(0.02, 0.14)
    for s in (-1, 1):
        c.paint(c.line(s * 0.18, 0.5, s * (0.2 + step), 0.92, 0.13), main, "flat")
        lift = r.uniform(-0.2, 0.45)
        c.paint(c.line(s * 0.28, -0.14, s * 0.5, 0.12, 0.12) | c.line(s * 0.5, 0.12, s * 0.56, lift, 0.12), main, "flat")
    c.paint(c.ellipse(0, -0.6, 0.38, 0.33) | c.box(-0.22, -0.5, 0.22, -0.2), main)
    for x in (-0.16, 0.16):
        c.spot(c.dot(x, -0.58, 0.11), INK)
    c.spot(c.dot(0, -0.42, 0.03), INK)
    c.spot(c.box(-0.14, -0.3, 0.14, -0.25), main[0])
    if extra == "sword":
        _sword(c, second, 0.64, 0.3, 0.85, ((40, 26, 16), (80, 50, 30), (110, 70, 40), (140, 100, 60)))
    if extra == "shield":
        _round_shield(c, second, -0.5, 0.16, 0.3)
    if extra == "helmet":
        c.paint(c.ellipse(0, -0.66, 0.42, 0.34) & (c.y < -0.68), second)
    if extra == "crown":
        c.paint(c.polygon((-0.28, -0.8), (-0.32, -1.1), (-0.14, -0.94), (0, -1.14), (0.14, -0.94), (0.32, -1.1), (0.28, -0.8)), second)


def dragon(c, r, main, second, extra):
    wing = second if extra == "wings" else main
    up = r.uniform(-0.95, -0.7)
    c.paint(c.polygon((-0.05, -0.05), (-0.3, up), (-0.55, -0.45), (-0.8, up + 0.2), (-0.85, -0.1), (-0.35, 0.2)), wing)
    c.paint(c.line(-0.3, 0.55, -0.75, 0.75, 0.26) | c.line(-0.75, 0.75, -0.95, r.uniform(0.3, 0.5), 0.14), main)
    c.paint(c.ellipse(-0.05, 0.42, 0.46, 0.42), main)
    c.paint(c.ellipse(0.1, 0.5, 0.22, 0.28), second if extra == "belly" else tuple(main[i] for i in (0, 1, 3, 3)), "flat")
    for x in (-0.25, 0.2):
        c.paint(c.box(x - 0.11, 0.65, x + 0.13, 0.95), main)
    c.paint(c.line(0.15, 0.2, 0.3, -0.35, 0.32), main)
    c.paint(c.ellipse(0.38, -0.48, 0.32, 0.26) | c.ellipse(0.66, -0.38, 0.26, 0.17), main)
    horn = second if extra == "horns" else BONE
    c.paint(c.line(0.2, -0.65, 0.02, -0.92, 0.13) | c.line(0.4, -0.7, 0.32, -0.95, 0.11), horn, "flat")
    eyes(c, 0.42, 0.42, -0.54, size=0.08)
    c.spot(c.dot(0.82, -0.42), INK)
    if r.random() < 0.35:
        c.paint(c.polygon((0.9, -0.3), (1.15, -0.15), (1.05, 0.05), (0.8, -0.2)), ((120, 30, 0), (230, 90, 10), (250, 150, 20), (255, 220, 80)), "flat")


def ghost(c, r, main, second, extra):
    wave = r.choice((3, 4))
    body = c.ellipse(0, -0.2, 0.62, 0.7) | c.box(-0.62, -0.2, 0.62, 0.72)
    for i in range(wave):
        x = -0.62 + (i + 0.5) * 1.24 / wave
        body |= c.ellipse(x, 0.72, 0.64 / wave, 0.24)
    c.paint(body, main, "deep")
    for s in (-1, 1):
        c.paint(c.ellipse(s * 0.68, r.uniform(0.0, 0.25), 0.2, 0.14), main)
    for x in (-0.22, 0.26):
        c.spot(c.ellipse(x, -0.22, 0.11, 0.17), INK)
    c.spot(c.ellipse(0.02, 0.14, r.uniform(0.08, 0.16), r.uniform(0.06, 0.18)), INK)
    if extra == "hat":
        c.paint(c.box(-0.5, -0.78, 0.5, -0.66) | c.box(-0.3, -1.1, 0.3, -0.7), second)
    if extra == "bow tie":
        c.paint(c.polygon((-0.3, 0.3), (0.3, 0.62), (0.3, 0.3), (-0.3, 0.62)), second)


def robot(c, r, main, second, extra):
    for s in (-1, 1):
        c.paint(c.box(s * 0.26 - 0.13, 0.5, s * 0.26 + 0.13, 0.95), main)
        c.paint(c.box(s * 0.6 - 0.11, -0.1, s * 0.6 + 0.11, r.uniform(0.35, 0.5)), main)
    c.paint(c.box(-0.46, -0.16, 0.46, 0.62), main)
    c.paint(c.box(-0.4, -0.8, 0.4, -0.24), main)
    c.spot(c.line(0, -0.8, 0, -1.0, 0.08), INK)
    c.paint(c.dot(0, -1.02, 0.1), second if extra == "antenna" else ((90, 20, 20), (190, 40, 40), (240, 70, 60), (255, 140, 120)), "flat")
    glow = r.choice(((120, 240, 255), (255, 240, 120), (150, 255, 150)))
    c.spot(c.box(-0.3, -0.64, 0.3, -0.42), INK)
    for x in (-0.17, 0.17):
        c.spot(c.dot(x, -0.53, 0.08), glow)
    if extra == "buttons":
        for y in (0.02, 0.22, 0.42):
            c.paint(c.dot(0, y, 0.09), second, "flat")
    else:
        c.spot(c.box(-0.2, 0.05, 0.2, 0.3), main[0])


def cat(c, r, main, second, extra):
    tail = r.uniform(-0.1, 0.3)
    c.paint(c.line(0.4, 0.75, 0.8, 0.5, 0.17) | c.line(0.8, 0.5, 0.78, tail, 0.17), main)
    c.paint(c.ellipse(0, 0.52, 0.5, 0.44), main)
    for s in (-1, 1):
        c.paint(c.polygon((s * 0.5, -0.35), (s * 0.48, -0.95), (s * 0.1, -0.6)), main)
        c.paint(c.ellipse(s * 0.24, 0.88, 0.18, 0.12), main)
    c.paint(c.ellipse(0, -0.25, 0.56, 0.44), main)
    iris = r.choice(((120, 220, 90), (250, 220, 70), (90, 190, 250)))
    for x in (-0.22, 0.22):
        c.spot(c.dot(x, -0.3, 0.12), iris)
        c.spot(c.line(x, -0.36, x, -0.24, 0.05), INK)
    c.spot(c.dot(0, -0.1, 0.05), (240, 130, 150))
    if extra == "collar":
        c.paint(c.box(-0.34, 0.14, 0.34, 0.26), second, "flat")
        c.spot(c.dot(0, 0.3, 0.08), (250, 220, 80))
    if extra == "hat":
        c.paint(c.polygon((-0.32, -0.6), (0.32, -0.6), (0, -1.12)), second)
    if extra == "scarf":
        c.paint(c.box(-0.44, 0.1, 0.44, 0.28) | c.box(0.16, 0.2, 0.36, 0.62), second)


def fish(c, r, main, second, extra):
    fin = second if extra == "fins" else main
    spread = r.uniform(0.35, 0.5)
    c.paint(c.polygon((-0.45, 0), (-0.98, -spread), (-0.82, 0), (-0.98, spread)), fin)
    c.paint(c.polygon((-0.2, -0.3), (0.05, -0.75), (0.3, -0.35)), fin)
    c.paint(c.polygon((-0.1, 0.3), (0.0, 0.68), (0.2, 0.3)), fin)
    c.paint(c.ellipse(0.12, 0, 0.74, r.uniform(0.4, 0.5)), main, "deep")
    if extra == "stripes":
        for x in (-0.25, 0.05):
            c.paint(c.box(x - 0.07, -0.6, x + 0.07, 0.6) & c.ellipse(0.12, 0, 0.74, 0.42), second, "flat")
    eyes(c, 0.52, 0.52, -0.1, size=0.12)
    c.spot(c.line(0.68, 0.16, 0.82, 0.12, 0.05), INK)


def bat(c, r, main, second, extra):
    lift = r.uniform(-0.6, -0.15)
    for s in (-1, 1):
        c.paint(c.polygon((s * 0.1, -0.1), (s * 0.6, lift), (s * 1.05, lift + 0.2), (s * 0.95, 0.35), (s * 0.75, 0.15), (s * 0.55, 0.45), (s * 0.35, 0.2), (s * 0.1, 0.4)), main)
        c.paint(c.polygon((s * 0.04, -0.3), (s * 0.24, -0.68), (s * 0.32, -0.2)), main)
    c.paint(c.ellipse(0, 0.08, 0.32, 0.42), main)
    glow = second[2] if extra == "eyes" else (255, 240, 120)
    for x in (-0.12, 0.12):
        c.spot(c.dot(x, -0.06, 0.09), glow)
        c.spot(c.line(x, 0.2, x, 0.26, 0.05), (255, 255, 255))


def spider(c, r, main, second, extra):
    for s in (-1, 1):
        for i, y in enumerate((-0.35, -0.05, 0.25, 0.5)):
            knee = y - 0.28 + r.uniform(-0.08, 0.08)
            end = y + (-0.2, 0.1, 0.35, 0.45)[i]
            c.paint(c.line(s * 0.25, 0.1 + y * 0.4, s * 0.65, knee, 0.09) | c.line(s * 0.65, knee, s * 0.95, end, 0.09), main, "flat")
    c.paint(c.ellipse(0, 0.3, 0.48, 0.46), main, "deep")
    c.paint(c.ellipse(0, -0.25, 0.32, 0.28), main)
    glow = second[2] if extra == "eyes" else (255, 250, 250)
    for x in (-0.14, 0.14):
        c.spot(c.dot(x, -0.3, 0.09), glow)
    if extra == "markings":
        c.paint(c.polygon((-0.15, 0.12), (0.15, 0.12), (-0.15, 0.5), (0.15, 0.5)), second, "flat")


def snail(c, r, main, second, extra):
    flesh = second if extra == "body" else ((70, 62, 40), (170, 152, 104), (214, 196, 146), (238, 226, 186))
    c.paint(c.line(-0.75, 0.78, 0.6, 0.78, 0.28) | c.line(0.55, 0.7, 0.68, 0.2, 0.26), flesh)
    reach = r.uniform(-0.3, -0.1)
    for x in (0.56, 0.82):
        c.paint(c.line(0.68, 0.15, x, reach, 0.06), flesh, "flat")
        c.spot(c.dot(x, reach, 0.07), INK)
    size = r.uniform(0.56, 0.64)
    c.paint(c.ellipse(-0.12, 0.16, size, size), main, "deep")
    c.spot(c.ellipse(-0.1, 0.2, 0.34, 0.34) & ~c.ellipse(-0.08, 0.2, 0.34 - 1.4 * c.pixel, 0.34 - 1.4 * c.pixel), main[0])
    c.spot(c.dot(-0.06, 0.22, 0.06), main[0])


def bird(c, r, main, second, extra):
    c.paint(c.polygon((-0.4, 0.15), (-0.95, r.uniform(-0.1, 0.25)), (-0.85, 0.42), (-0.4, 0.5)), main)
    c.spot(c.line(-0.1, 0.6, -0.1, 0.95, 0.06) | c.line(0.15, 0.6, 0.15, 0.95, 0.06), (230, 150, 40), (120, 70, 10))
    c.paint(c.ellipse(0, 0.25, 0.54, 0.44), main)
    c.paint(c.ellipse(0.34, -0.3, 0.38, 0.36), main)
    c.paint(c.polygon((0.66, -0.38), (1.0, -0.22), (0.66, -0.12)), ((120, 70, 0), (220, 130, 20), (250, 180, 40), (255, 220, 100)), "flat")
    wing = second if extra == "wings" else tuple(main[i] for i in (0, 0, 1, 2))
    if r.random() < 0.5:
        c.paint(c.ellipse(-0.14, 0.25, 0.34, 0.2), wing)
    else:
        c.paint(c.polygon((0.1, 0.1), (-0.5, -0.6), (-0.4, 0.3)), wing)
    eyes(c, 0.44, 0.44, -0.36, size=0.09)
    if extra == "crest":
        c.paint(c.polygon((0.15, -0.58), (0.05, -0.98), (0.32, -0.75), (0.42, -0.98), (0.48, -0.6)), second)


def crab(c, r, main, second, extra):
    for s in (-1, 1):
        for y in (0.35, 0.55, 0.72):
            c.paint(c.line(s * 0.45, y - 0.1, s * 0.92, y + 0.16, 0.09), main, "flat")
        lift = r.uniform(-0.6, -0.35)
        c.paint(c.line(s * 0.5, 0.15, s * 0.75, lift + 0.25, 0.14), main)
        claw = c.ellipse(s * 0.72, lift, 0.26, 0.27) & ~c.polygon((s * 0.72, lift), (s * 0.6, lift - 0.4), (s * 0.86, lift - 0.4))
        c.paint(claw, second if extra == "claws" else main)
    c.paint(c.ellipse(0, 0.35, 0.62, 0.4), main, "deep")
    for x in (-0.2, 0.2):
        c.paint(c.line(x, 0.05, x, -0.15, 0.08), main, "flat")
    eyes(c, -0.2, 0.2, -0.2, size=0.11)
    c.spot(c.line(-0.14, 0.48, 0.14, 0.48, 0.06), INK)

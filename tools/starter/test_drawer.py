"""Tests of the drawer and its captions: `python -m unittest discover tools/starter -p 'test_*.py'`."""

import os
import random
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import numpy as np

from captions import caption
from judge import main_colour
from scene import SUBJECTS, Scene, draw
from tokens import END, LENGTH, START, tokenize


class Drawer(unittest.TestCase):
    def test_a_seed_draws_the_same_picture_again(self):
        for seed in range(20):
            np.testing.assert_array_equal(draw(Scene(seed)), draw(Scene(seed)))

    def test_different_seeds_draw_different_pictures(self):
        for name in SUBJECTS:
            one, other = (draw(Scene(seed, subject=name, colour="red", background="white")) for seed in (1, 2))
            self.assertGreater((one != other).mean(), 0.01, name)

    def test_the_main_colour_is_that_of_most_pixels(self):
        scenes = [Scene(seed) for seed in range(720)]
        right = sum(main_colour(draw(scene)) == scene.colour for scene in scenes)
        self.assertGreater(right / len(scenes), 0.98)

    def test_captions_name_colour_and_subject(self):
        for seed in range(500):
            scene = Scene(seed)
            text = caption(scene, random.Random(seed))
            self.assertTrue(any(name in text for name in (scene.subject, *SUBJECTS[scene.subject][3])), text)
            self.assertIn({"gray": "gr"}.get(scene.colour, scene.colour), text)

    def test_tokens_are_clips(self):
        tokens = tokenize("A red knight with a gold shield, pixel art")
        self.assertEqual(tokens[:11], [START, 320, 736, 7355, 593, 320, 2209, 8670, 267, 13241, 794])
        self.assertEqual((len(tokens), tokens[11]), (LENGTH, END))


if __name__ == "__main__":
    unittest.main()

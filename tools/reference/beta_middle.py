"""Prints the digits of native/schedule/beta_middle.h: to which of two timesteps scipy rounds the middle of symmetric beta distributions.

Usage: python tools/reference/beta_middle.py   (needs numpy and scipy)
"""
import numpy as np
import scipy.stats

parameters = np.round(np.arange(1, 5001) * 0.01, 2)
below = np.rint(scipy.stats.beta.ppf(0.5, parameters, parameters) * 999) == 499
print(f"{int(''.join('01'[int(bit)] for bit in below), 2):01250x}")

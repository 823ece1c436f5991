"""Says how long sound took from mouth to ear: delay.py MOUTH.wav EAR.wav

Both are recordings on one clock. Prints a JSON list: for each two seconds of speech how much later the ear had it, ms.
Pieces that are not to be found again are left out.
"""

import json
import sys

import numpy as np
from score import RATE, alike, correlate, read

PIECE = 2 * RATE
LONGEST = RATE
FOUND = 0.4


def main():
    mouth, ear = read(sys.argv[1]), read(sys.argv[2])
    loud = np.abs(mouth).max() / 30
    delays = []
    for at in range(0, len(mouth) - PIECE + 1, PIECE):
        piece = mouth[at : at + PIECE]
        around = ear[at : at + PIECE + LONGEST]
        if len(around) < PIECE or np.sqrt(np.mean(piece**2)) < loud:
            continue
        lag = int(np.argmax(correlate(piece, around)))
        if alike(piece, around[lag : lag + PIECE]) > FOUND:
            delays.append(round(1000 * lag / RATE, 1))
    print(json.dumps(delays))


main()

"""Says how well readings came through: voice.py [--visqol]

Reads lines of JSON from standard input, each an object with `recording` (a WAV file) and `clips` (each with
`reference`, a WAV file at 16 kHz, and `at_s`, where in the reading it lies). Answers each with a JSON list of what each
clip is worth: `pesq_wb` (ITU-T P.862.2), `visqol` (speech mode) where it is asked for, and `delay_ms`, where in the
recording the clip begins, less its place in the reading. Nothing heard is worth 1, the worst there is.
"""

import json
import sys

import numpy as np
from pesq import PesqError, pesq

from score import RATE, correlate, read

# The first clip is looked for from so much before its place in the reading to so much after it, the others from so much
# before the place of the clip before to so much after it: some phones leave out what was lost.
EARLY_S, LATE_S = 2.0, 4.0
SLACK_S = 1.0
WORST = 1.0


def judge(speech, around, visqol):
    """One clip within the piece of the recording in which it must be; where it was found, and its scores."""
    at = int(np.argmax(correlate(speech, around)))
    heard = around[at : at + len(speech)]
    if np.sqrt(np.mean(heard**2)) < 1:
        return None, {"pesq_wb": WORST, "visqol": WORST if visqol else None, "delay_ms": None}
    wb = pesq(RATE, speech, heard, "wb", on_error=PesqError.RETURN_VALUES)
    scores = {"pesq_wb": round(max(float(wb), WORST), 3), "visqol": None}
    if visqol:
        scores["visqol"] = round(float(visqol.measure_from_arrays(speech / 32768, heard / 32768, RATE).moslqo), 3)
    return at, scores


def scores(job, visqol):
    """What each clip of a recording is worth."""
    recording = read(job["recording"])
    # So that a clip may begin before the recording and end after it.
    before, after = round(EARLY_S * RATE), round(12 * RATE)
    padded = np.concatenate([np.zeros(before), recording, np.zeros(after)])
    # From the place in the reading to the earliest and the latest place in `padded`.
    earliest, latest = before - round(EARLY_S * RATE), before + round(LATE_S * RATE)
    result = []
    for clip in job["clips"]:
        speech, place = read(clip["reference"]), round(clip["at_s"] * RATE)
        begin = max(0, place + earliest)
        around = padded[begin : place + latest + len(speech)]
        around = np.pad(around, (0, max(0, len(speech) - len(around))))
        at, judged = judge(speech, around, visqol)
        if at is not None:
            offset = begin + at - place
            judged["delay_ms"] = round(1000 * (offset - before) / RATE, 1)
            slack = round(SLACK_S * RATE)
            earliest, latest = offset - slack, offset + slack
        result.append(judged)
    return result


def main():
    visqol = None
    if "--visqol" in sys.argv[1:]:
        from visqol import VisqolApi

        visqol = VisqolApi()
        visqol.create(mode="speech")
    for line in sys.stdin:
        print(json.dumps(scores(json.loads(line), visqol)), flush=True)


if __name__ == "__main__":
    main()

"""Says how well readings came through: voice.py [--visqol]

Reads a JSON list from standard input, each with `recording` (a WAV file) and `clips` (each with `reference`, a WAV file
at 16 kHz, and `at_s`, where in the reading it lies). Prints one JSON list a recording, in that order, with what each
clip is worth: `pesq_wb` (ITU-T P.862.2), `visqol` (speech mode) where it is asked for, and `delay_ms`, where in the
recording the clip begins, less its place in the reading. Nothing heard is worth 1, the worst there is.
"""

import json
import sys

import numpy as np
from pesq import PesqError, pesq

from score import RATE, correlate, read

# Where a recording begins: this long after the reading began, at most, or before it; and how far a clip may be off.
LATE_S = 2.0
EARLY_S = 4.0
SLACK_S = 1.0
WORST = 1.0


def whole(clips):
    """The reading, from its first clip on."""
    end = round(clips[-1]["at_s"] * RATE) + len(clips[-1]["speech"])
    reading = np.zeros(end)
    for clip in clips:
        at = round(clip["at_s"] * RATE)
        reading[at : at + len(clip["speech"])] = clip["speech"]
    first = round(clips[0]["at_s"] * RATE)
    return reading[first:], first


def judge(clip, around, visqol):
    """One clip within the piece of the recording in which it must be; where it was found, and its scores."""
    speech = clip["speech"]
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
    clips = [{**clip, "speech": read(clip["reference"])} for clip in job["clips"]]
    recording = read(job["recording"])
    reading, first = whole(clips)
    margin = round(SLACK_S * RATE)
    # So that a clip may begin before the recording and end after it.
    padded = np.concatenate([np.zeros(margin), recording, np.zeros(len(reading) + margin)])
    usual = margin + first
    earliest, latest = max(0, usual - round(LATE_S * RATE)), usual + round(EARLY_S * RATE)
    start = earliest + int(np.argmax(correlate(reading, padded)[earliest:latest]))
    result = []
    for clip in clips:
        begin = max(0, start + round(clip["at_s"] * RATE) - first - margin)
        around = padded[begin : begin + len(clip["speech"]) + 2 * margin]
        at, judged = judge(clip, around, visqol)
        if at is not None:
            judged["delay_ms"] = round(1000 * ((begin + at - margin) / RATE - clip["at_s"]), 1)
        result.append(judged)
    return result


def main():
    visqol = None
    if "--visqol" in sys.argv[1:]:
        from visqol import VisqolApi

        visqol = VisqolApi()
        visqol.create(mode="speech")
    for job in json.load(sys.stdin):
        print(json.dumps(scores(job, visqol)), flush=True)


if __name__ == "__main__":
    main()

"""Says how well speech came through: score.py REFERENCE.wav RECORDING.wav

Prints one JSON object: `delay_ms` (where in the recording the reference begins), `correlation`
(of the two waveforms once aligned, by the half second, median over the voiced ones), `pesq_wb` (ITU-T
P.862.2, 1.04 to 4.64) and `level_db` (recording against reference).
"""

import json
import sys
import wave

import numpy as np
from pesq import pesq

RATE = 16000


def read(path):
    """A 16-bit WAV as mono samples at 16 kHz."""
    with wave.open(path) as w:
        if w.getsampwidth() != 2:
            raise SystemExit(f"{path}: not 16-bit")
        channels, rate = w.getnchannels(), w.getframerate()
        samples = np.frombuffer(w.readframes(w.getnframes()), dtype="<i2").astype(float)
    samples = samples.reshape(-1, channels).mean(axis=1)
    return resample(samples, rate)


def resample(samples, rate):
    """Ideal resampling by cutting or padding the spectrum."""
    if rate == RATE or len(samples) == 0:
        return samples
    length = round(len(samples) * RATE / rate)
    spectrum = np.fft.rfft(samples)
    bins = length // 2 + 1
    spectrum = np.pad(spectrum, (0, max(0, bins - len(spectrum))))[:bins]
    return np.fft.irfft(spectrum, length) * (length / len(samples))


def correlate(short, long):
    """Correlation of `short` with every place in `long`, by FFT."""
    size = 1 << (len(short) + len(long)).bit_length()
    product = np.fft.rfft(long, size) * np.conj(np.fft.rfft(short, size))
    return np.fft.irfft(product, size)[: max(1, len(long) - len(short) + 1)]


def alike(a, b):
    """Normalised correlation of two pieces of the same length."""
    power = np.sqrt(np.dot(a, a) * np.dot(b, b))
    return float(np.dot(a, b) / power) if power > 0 else 0.0


def piecewise(reference, recording, start):
    """Median over the voiced half seconds; each may sit up to 40 ms off, as after a stretch or a skip."""
    step, slack = RATE // 2, RATE // 25
    loud = np.abs(reference).max() / 20
    scores = []
    for at in range(0, len(reference) - step + 1, step):
        piece = reference[at : at + step]
        if np.sqrt(np.mean(piece**2)) < loud:
            continue
        begin = max(0, start + at - slack)
        around = recording[begin : start + at + step + slack]
        if len(around) < step:
            scores.append(0.0)
            continue
        best = int(np.argmax(correlate(piece, around)))
        scores.append(alike(piece, around[best : best + step]))
    return float(np.median(scores)) if scores else 0.0


def main():
    reference, recording = read(sys.argv[1]), read(sys.argv[2])
    missing = len(reference) - len(recording)
    if missing > 0:
        recording = np.pad(recording, (0, missing))
    start = int(np.argmax(correlate(reference, recording)))
    heard = recording[start : start + len(reference)]
    rms = lambda x: np.sqrt(np.mean(x**2)) + 1e-9
    print(
        json.dumps(
            {
                "delay_ms": round(1000 * start / RATE, 1),
                "correlation": round(piecewise(reference, recording, start), 3),
                "pesq_wb": round(float(pesq(RATE, reference, heard, "wb")) if rms(heard) > 1 else 0.0, 2),
                "level_db": round(float(20 * np.log10(rms(heard) / rms(reference))), 1),
                "recorded_s": round((len(recording) - max(0, missing)) / RATE, 2),
            }
        )
    )


if __name__ == "__main__":
    main()

"""Scores what the echo bench left: echo.py FOLDER < LINES

LINES are those that `cargo run -p media --example echo` prints. Prints Markdown tables: echo loss, what is left of the
voice at the microphone (PESQ-WB against what was said), and noise before and after, beside the same sounds through
WebRTC's own audio processing (pywebrtc-audio), which takes one frame of the speaker for each of the microphone.
"""

import json
import sys
import wave
from pathlib import Path

import numpy as np
from pesq import pesq

try:
    from pywebrtc_audio import AudioProcessor
except ImportError:
    AudioProcessor = None

RATE, FRAME = 48000, 480


def read(path):
    with wave.open(str(path)) as w:
        return np.frombuffer(w.readframes(w.getnframes()), dtype="<i2")


def webrtc(played, microphone, **stages):
    """The microphone through WebRTC's audio processing; nothing where it cannot be had."""
    if AudioProcessor is None:
        return None
    apm = AudioProcessor(sample_rate=RATE, high_pass_filter=True, **stages)
    played = np.pad(played, (0, max(0, len(microphone) - len(played))))
    out = [
        apm.process(microphone[n : n + FRAME], played[n : n + FRAME])
        for n in range(0, len(microphone) - FRAME + 1, FRAME)
    ]
    return np.concatenate(out)


def frames(sound):
    sound = sound[: len(sound) // FRAME * FRAME].astype(float)
    return (sound.reshape(-1, FRAME) ** 2).sum(axis=1)


def loss(echo, near, out, begin, end):
    """By how much `out` is quieter than the echo, where there is echo and nobody speaks, dB."""
    count = min(len(echo), len(out)) // FRAME * FRAME
    e, n, o = (frames(sound[:count]) for sound in (echo, near, out))
    at = np.arange(len(e)) / 100
    use = (at >= begin) & (at < end) & (e > FRAME * 1e-5 * 32768**2) & (n == 0)
    return 10 * np.log10(e[use].sum() / max(o[use].sum(), 1.0)) if use.any() else None


def at_16k(sound):
    spectrum = np.fft.rfft(sound.astype(float))
    length = len(sound) // 3
    return np.fft.irfft(spectrum[: length // 2 + 1], length) / 3


def quality(near, out, begin):
    """PESQ-WB of the voice and by how much it became louder, dB."""
    said = at_16k(near[int(begin * RATE) :])
    heard = at_16k(out[int(begin * RATE) : int(begin * RATE) + len(said) * 3])
    # Up to 40 ms late.
    lags = range(0, 640)
    reach = min(len(said), len(heard)) - 640
    late = max(lags, key=lambda lag: float(np.dot(said[:reach], heard[lag : lag + reach])))
    said, heard = said[:reach], heard[late : late + reach]
    voiced = np.abs(said) > 0.1 * np.abs(said).max()
    level = 20 * np.log10(np.sqrt((heard[voiced] ** 2).mean() / (said[voiced] ** 2).mean()))
    return float(pesq(16000, said, heard, "wb")), float(level)


def noise(near, sound, begin):
    """Level of what is heard while nobody speaks, from 3 s on, dBFS."""
    use = np.arange(len(sound)) / RATE < begin
    use &= np.arange(len(sound)) / RATE > 3
    return 20 * np.log10(np.sqrt((sound[use].astype(float) ** 2).mean()) / 32768 + 1e-6)


def show(value, form="{:.1f}"):
    return "–" if value is None else form.format(value)


def main():
    folder = Path(sys.argv[1])
    lines = [json.loads(line) for line in sys.stdin if line.startswith("{")]
    echoes = [line for line in lines if line["loss"] is not None and not line["scene"].startswith("talk")]
    talks = [line for line in lines if line["scene"].startswith("talk")]
    noises = [line for line in lines if line["loss"] is None]

    def sounds(scene, *names):
        return [read(folder / f"{scene}.{name}.wav") for name in names]

    print("\n| scene | stages | echo loss from 3 to 6 s, dB | from 3 s on, dB | learned after, s | WebRTC's, dB |")
    print("|---|---|---|---|---|---|")
    for line in echoes:
        played, echo, near, microphone = sounds(line["scene"], "played", "echo", "near", "microphone")
        stages = {"echo": {}, "usual": {"noise_suppression": True, "ns_level": 1}}.get(line["stages"])
        other = None if stages is None else webrtc(played, microphone, echo_cancellation=True, **stages)
        theirs = None if other is None else loss(echo, near, other, 3, 1e9)
        print(
            f"| {line['scene']} | {line['stages']} | {show(line['loss_3_6'])} | {show(line['loss'])} "
            f"| {show(line['learned'])} | {show(theirs)} |"
        )

    print("\n| scene | stages | echo loss, dB | voice, PESQ-WB | its level, dB | unprocessed | WebRTC's | its level, dB |")
    print("|---|---|---|---|---|---|---|---|")
    for line in talks:
        played, near, microphone, out = sounds(line["scene"], "played", "near", "microphone", line["stages"])
        score, level = quality(near, out, line["speaks"])
        before, _ = quality(near, microphone, line["speaks"])
        stages = {"echo": {}, "usual": {"noise_suppression": True, "ns_level": 1}}.get(line["stages"])
        other = None if stages is None else webrtc(played, microphone, echo_cancellation=True, **stages)
        theirs = (None, None) if other is None else quality(near, other, line["speaks"])
        print(
            f"| {line['scene']} | {line['stages']} | {show(line['loss'])} | {score:.2f} | {level:+.1f} "
            f"| {before:.2f} | {show(theirs[0], '{:.2f}')} | {show(theirs[1], '{:+.1f}')} |"
        )

    print("\n| noise | stages | noise, dBFS | after | voice, PESQ-WB | after | WebRTC's noise | its PESQ-WB |")
    print("|---|---|---|---|---|---|---|---|")
    for line in noises:
        played, near, microphone, out = sounds(line["scene"], "played", "near", "microphone", line["stages"])
        begin = line["speaks"]
        stages = {"low": 1, "high": 3}.get(line["stages"])
        other = None if stages is None else webrtc(played, microphone, noise_suppression=True, ns_level=stages)
        theirs = (None, None) if other is None else (noise(near, other, begin), quality(near, other, begin)[0])
        print(
            f"| {line['scene']} | {line['stages']} | {noise(near, microphone, begin):.1f} "
            f"| {noise(near, out, begin):.1f} | {quality(near, microphone, begin)[0]:.2f} "
            f"| {quality(near, out, begin)[0]:.2f} | {show(theirs[0])} | {show(theirs[1], '{:.2f}')} |"
        )

    cost = {stages: [l["cost"] for l in lines if l["stages"] == stages] for stages in ("echo", "usual", "all")}
    said = ", ".join(f"{name} {np.median(all) * 0.06:.2f}" for name, all in cost.items() if all)
    print(f"\nProcessor time, seconds for each minute of call: {said}")


main()

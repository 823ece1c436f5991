"""Scores what the echo bench left: echo.py FOLDER < LINES

LINES are those that `cargo run -p media --example echo` prints. Prints Markdown tables: echo loss, what is left of the
voice at the microphone (PESQ-WB and ViSQOL against what was said), and noise before and after, beside the same sounds through
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

try:
    from visqol import VisqolApi

    VISQOL = VisqolApi()
    VISQOL.create(mode="speech")
except ImportError:
    VISQOL = None

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
    """PESQ-WB and ViSQOL of the voice and by how much it became louder, dB."""
    said = at_16k(near[int(begin * RATE) :])
    heard = at_16k(out[int(begin * RATE) : int(begin * RATE) + len(said) * 3])
    # Up to 40 ms late.
    lags = range(0, 640)
    reach = min(len(said), len(heard)) - 640
    late = max(lags, key=lambda lag: float(np.dot(said[:reach], heard[lag : lag + reach])))
    said, heard = said[:reach], heard[late : late + reach]
    voiced = np.abs(said) > 0.1 * np.abs(said).max()
    level = 20 * np.log10(np.sqrt((heard[voiced] ** 2).mean() / (said[voiced] ** 2).mean()))
    return float(pesq(16000, said, heard, "wb")), float(level), visqol(said, heard)


def visqol(said, heard):
    """ViSQOL in speech mode; nothing where it cannot be had."""
    if VISQOL is None:
        return None
    return float(VISQOL.measure_from_arrays(said / 32768, heard / 32768, 16000).moslqo)


def noise(near, sound, begin):
    """Level of what is heard while nobody speaks, from 3 s on, dBFS."""
    use = np.arange(len(sound)) / RATE < begin
    use &= np.arange(len(sound)) / RATE > 3
    return 20 * np.log10(np.sqrt((sound[use].astype(float) ** 2).mean()) / 32768 + 1e-6)


def show(value, form="{:.1f}"):
    return "–" if value is None else form.format(value)


def said(voice):
    return "–" if voice is None else f"{voice[0]:.2f}, {show(voice[2], '{:.2f}')}, {voice[1]:+.1f}"


def main():
    folder = Path(sys.argv[1])
    lines = [json.loads(line) for line in sys.stdin if line.startswith("{")]
    echoes = [line for line in lines if line["loss"] is not None and not line["scene"].startswith("talk")]
    talks = [line for line in lines if line["scene"].startswith("talk")]
    noises = [line for line in lines if line["loss"] is None]

    def sounds(scene, *names):
        return [read(folder / f"{scene}.{name}.wav") for name in names]

    print("\n| scene | stages | echo loss from 3 to 6 s, dB | from 3 s on, dB | from 3 s after a change on, dB | learned after, s | WebRTC's, dB |")
    print("|---|---|---|---|---|---|---|")
    for line in echoes:
        played, echo, near, microphone = sounds(line["scene"], "played", "echo", "near", "microphone")
        stages = {"echo": {}, "usual": {"noise_suppression": True, "ns_level": 1}}.get(line["stages"])
        other = None if stages is None else webrtc(played, microphone, echo_cancellation=True, **stages)
        theirs = None if other is None else loss(echo, near, other, 3, 1e9)
        line["webrtc_loss"] = theirs
        print(
            f"| {line['scene']} | {line['stages']} | {show(line['loss_3_6'])} | {show(line['loss'])} "
            f"| {show(line['relearnt'])} | {show(line['learned'])} | {show(theirs)} |"
        )

    print("\nPESQ-WB, ViSQOL, level in dB of the voice that speaks at the same time; echo 12 dB lower: what subtraction")
    print("alone would have to reach for that score, without any other stage.\n")
    print("| scene | stages | echo loss, dB | voice | unprocessed | echo 12 dB lower | WebRTC's |")
    print("|---|---|---|---|---|---|---|")
    for line in talks:
        played, near, microphone, out = sounds(line["scene"], "played", "near", "microphone", f"{line['stages']}.out")
        stages = {"echo": {}, "usual": {"noise_suppression": True, "ns_level": 1}}.get(line["stages"])
        other = None if stages is None else webrtc(played, microphone, echo_cancellation=True, **stages)
        lower = near + (microphone.astype(float) - near) * 10 ** (-12 / 20)
        line["voice"] = {
            name: None if sound is None else quality(near, sound, line["speaks"])
            for name, sound in [("ours", out), ("unprocessed", microphone), ("lower", lower), ("webrtc", other)]
        }
        print(f"| {line['scene']} | {line['stages']} | {show(line['loss'])} | {' | '.join(map(said, line['voice'].values()))} |")

    print("\n| noise | stages | noise, dBFS | after | WebRTC's | voice | after | WebRTC's |")
    print("|---|---|---|---|---|---|---|---|")
    for line in noises:
        played, near, microphone, out = sounds(line["scene"], "played", "near", "microphone", f"{line['stages']}.out")
        begin = line["speaks"]
        stages = {"low": 1, "high": 3}.get(line["stages"])
        other = None if stages is None else webrtc(played, microphone, noise_suppression=True, ns_level=stages)
        of = [("before", microphone), ("after", out), ("webrtc", other)]
        line["noise"] = {name: None if sound is None else float(noise(near, sound, begin)) for name, sound in of}
        line["voice"] = {name: None if sound is None else quality(near, sound, begin) for name, sound in of}
        levels = " | ".join(map(show, line["noise"].values()))
        voices = " | ".join(map(said, line["voice"].values()))
        print(f"| {line['scene']} | {line['stages']} | {levels} | {voices} |")

    cost = {stages: [l["cost"] for l in lines if l["stages"] == stages] for stages in ("echo", "usual", "all")}
    costs = ", ".join(f"{name} {np.median(all) * 0.06:.2f}" for name, all in cost.items() if all)
    print(f"\nProcessor time, seconds for each minute of call: {costs}")
    folder.with_suffix(".json").write_text(json.dumps(lines, indent=1))


main()

"""Impulse responses of real rooms, out of sweeps that were recorded in them: rooms.py SCENE_RIR.tar.gz FOLDER

The archive is the source package of scene-rir (PyPI), whose tests hold a sweep and what was heard of it in two classrooms.
Writes FOLDER/room-1.wav and so on (48 kHz, mono), each beginning 5 ms before the first sound to arrive. Used for
measurements, never shipped.
"""

import io
import sys
import tarfile
import wave
from pathlib import Path

import numpy as np

RATE, RECORDED = 48000, 44100
# Of either rate a whole number of samples: 24 seconds.
SECONDS = 24
BAND = (40, 20000)
BEFORE, KEPT = 0.005, 0.8


def read(file):
    with wave.open(io.BytesIO(file.read())) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (RECORDED, 1, 2)
        return np.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2") / 32768


def response(sweep, heard):
    """The impulse response at 48 kHz: what was heard divided by what was played, where there was anything to hear."""
    played, answered = (np.fft.rfft(sound, SECONDS * RECORDED) for sound in (sweep, heard))
    frequencies = np.fft.rfftfreq(SECONDS * RECORDED, 1 / RECORDED)
    inside = (frequencies > BAND[0]) & (frequencies < BAND[1])
    power = np.abs(played) ** 2
    divided = inside * answered * played.conj() / (power + 1e-4 * np.median(power[inside]))
    found = np.fft.irfft(divided, SECONDS * RATE)
    found = np.roll(found, int(BEFORE * RATE) - int(np.argmax(np.abs(found))))
    return found[: int(KEPT * RATE)]


def main():
    archive, folder = tarfile.open(sys.argv[1]), Path(sys.argv[2])
    sounds = sorted((m for m in archive.getmembers() if m.name.endswith(".wav")), key=lambda m: m.name)
    sweep, rooms = None, []
    for member in sounds:
        sound = read(archive.extractfile(member))
        if "/Sweep" in member.name:
            sweep = sound
        else:
            rooms.append(sound)
    assert sweep is not None and rooms, "no sweep, or nothing that was heard of it"
    for number, heard in enumerate(rooms, 1):
        room = response(sweep, heard)
        room *= 0.9 / np.abs(room).max()
        with wave.open(str(folder / f"room-{number}.wav"), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(RATE)
            out.writeframes((room * 32767).round().astype("<i2").tobytes())


main()

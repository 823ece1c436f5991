"""Decodes a raw G.722 file of 64 kbit/s: g722.py IN.g722 OUT.wav"""

import sys
import wave

from G722 import G722

with open(sys.argv[1], "rb") as file:
    samples = G722(16000, 64000).decode(file.read())
with wave.open(sys.argv[2], "wb") as out:
    out.setnchannels(1)
    out.setsampwidth(2)
    out.setframerate(16000)
    out.writeframes(b"".join(int(s).to_bytes(2, "little", signed=True) for s in samples))

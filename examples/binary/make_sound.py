"""Write a second of a rising tone."""

import math
import struct
import wave

RATE = 8000

with wave.open("sound.wav", "wb") as file:
    file.setnchannels(1)
    file.setsampwidth(2)
    file.setframerate(RATE)
    for at in range(RATE):
        file.writeframes(struct.pack("<h", round(20_000 * math.sin(at * (0.1 + at / RATE)))))

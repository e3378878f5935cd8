"""Answer a sound with the same sound backwards, as loud as the model says."""

import io
import os
import struct
import wave

from azureml.contrib.services.aml_request import AMLRequest, rawhttp
from azureml.contrib.services.aml_response import AMLResponse


def init():
    global volume
    with open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "volume.txt")) as file:
        volume = float(file.read())


@rawhttp
def run(request: AMLRequest):
    if request.method != "POST":
        return AMLResponse("POST a wave file of 16 bits", 405)
    try:
        with wave.open(io.BytesIO(request.get_data())) as sound:
            facts = sound.getparams()
            frames = sound.readframes(facts.nframes)
    except (wave.Error, EOFError) as error:
        return AMLResponse(f"This is no wave file: {error}", 400)
    samples = struct.unpack(f"<{len(frames) // 2}h", frames)
    answer = io.BytesIO()
    with wave.open(answer, "wb") as sound:
        sound.setparams(facts)
        sound.writeframes(struct.pack(f"<{len(samples)}h", *(round(volume * one) for one in reversed(samples))))
    made = AMLResponse(answer.getvalue(), 200)
    made.headers["Content-Type"] = "audio/wav"
    return made

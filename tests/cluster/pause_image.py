"""Write an image archive of one static program to standard output.

python3 pause_image.py PROGRAM NAME:TAG
"""

import hashlib
import io
import json
import platform
import sys
import tarfile
from pathlib import Path


def tar(*files: tuple[str, bytes]) -> bytes:
    """An archive of executable files."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for path, data in files:
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(data), 0o755
            archive.addfile(entry, io.BytesIO(data))
    return out.getvalue()


program, name = Path(sys.argv[1]), sys.argv[2]
layer = tar((program.name, program.read_bytes()))
config = {
    "architecture": {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()],
    "os": "linux",
    "config": {"Entrypoint": [f"/{program.name}"], "User": "65535:65535"},
    "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
}
manifest = [{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]
documents = (("manifest.json", json.dumps(manifest).encode()), ("config.json", json.dumps(config).encode()))
sys.stdout.buffer.write(tar(*documents, ("layer.tar", layer)))

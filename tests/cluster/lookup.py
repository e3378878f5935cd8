"""Ask a name server for the address of a name and print it; the exit code is 1 without an answer.

python3 lookup.py SERVER PORT NAME
"""

import socket
import struct
import sys

server, port, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]
labels = b"".join(bytes([len(part)]) + part.encode() for part in name.rstrip(".").split("."))
question = labels + b"\0" + struct.pack(">HH", 1, 1)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
    link.settimeout(1)
    link.sendto(struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + question, (server, port))
    answer = link.recv(512)
if not struct.unpack(">H", answer[6:8])[0]:
    sys.exit(1)
print(socket.inet_ntoa(answer[-4:]))

"""gate.py COUNT SECONDS: as prog_gate, but the interpreter closes what the program keeps, as it takes itself apart."""

import socket
import sys
import time

listening = socket.create_server(("127.0.0.1", 0))
held = []
for _ in range(int(sys.argv[1])):
    peer = socket.create_connection(listening.getsockname())
    held.append(listening.accept()[0])
    peer.close()
    while held[-1].recv(64):
        pass
time.sleep(float(sys.argv[2]))

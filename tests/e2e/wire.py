"""A network namespace for one test, and what happens in it by the kernel's word: segments, counters, sockets.

A namespace belongs to the thread that made it, and so do the programs and sockets that this thread starts afterwards.
"""

import collections
import ctypes
import fcntl
import os
import select
import shutil
import socket
import struct
import subprocess
import threading
import time

import kernel
from harness import DEADLINE, Failure, Skip

CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS, IFF_UP, IFF_RUNNING = 0x8914, 1, 0x40
ETH_P_ALL, PACKET_OUTGOING = 3, 4
FLAGS = ((1, "F"), (2, "S"), (4, "R"), (8, "P"), (16, "A"))

Segment = collections.namedtuple("Segment", "time sport dport flags seq size")


class Net:
    """The namespace: lo alone is up in it."""

    def __init__(self, test):
        libc = ctypes.CDLL(None, use_errno=True)
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        if libc.unshare(CLONE_NEWNET) != 0:
            os.close(before)
            raise Skip(f"no network namespace can be made here ({os.strerror(ctypes.get_errno())}); it takes root")
        test.cleanups.append(lambda: (libc.setns(before, CLONE_NEWNET), os.close(before)))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            request = struct.pack("16sH14x", b"lo", IFF_UP | IFF_RUNNING)
            fcntl.ioctl(any_socket, SIOCSIFFLAGS, request)
        self.test, self.segments, self.packets, self.stopping = test, [], None, False

    def capture(self):
        """From here on segments are kept, as they leave: what a filter drops on its way in is among them."""
        self.packets = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        self.packets.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.packets.bind(("lo", ETH_P_ALL))
        reader = threading.Thread(target=self.read_packets, daemon=True)
        reader.start()
        self.test.cleanups.append(lambda: self.stop(reader))

    def stop(self, reader):
        self.stopping = True
        reader.join(2)
        self.packets.close()

    def read_packets(self):
        self.packets.settimeout(0.2)
        while not self.stopping:
            try:
                data, address = self.packets.recvfrom(128)
            except OSError:
                continue
            segment = parse(data) if address[2] == PACKET_OUTGOING else None
            if segment:
                self.segments.append(segment)

    def sent(self, flags, sport=None, dport=None, since=0.0):
        """The segments so far that have all these flags."""
        while select.select([self.packets], [], [], 0.01)[0]:
            pass  # the reader is behind
        return [one for one in list(self.segments) if set(flags) <= set(one.flags) and one.time >= since and
                sport in (None, one.sport) and dport in (None, one.dport)]

    def drop(self, *matches):
        """Segments that match are lost on their way in; none: no more."""
        if not shutil.which("nft"):
            raise Skip("nft is not installed, which makes packets get lost")
        rules = "".join(f"add rule inet loss in {match} drop\n" for match in matches)
        script = ("add table inet loss\ndelete table inet loss\nadd table inet loss\n"
                  "add chain inet loss in { type filter hook input priority 0; }\n" + rules)
        done = subprocess.run(["nft", "-f", "-"], input=script, text=True, capture_output=True)
        if done.returncode:
            raise Skip(f"nft cannot drop packets here: {done.stderr.strip().splitlines()[0]}")

    @staticmethod
    def counters():
        """TcpExt and Tcp of this namespace, by name."""
        found = {}
        for name in ("netstat", "snmp"):
            with open(f"/proc/thread-self/net/{name}", encoding="ascii") as text:
                lines = text.read().splitlines()
            for keys, values in zip(lines[::2], lines[1::2]):
                kind = keys.split(":")[0]
                if kind in ("TcpExt", "Tcp"):
                    found.update(zip(keys.split()[1:], map(int, values.split()[1:])))
        return found

    @staticmethod
    def states(port, local=True):
        """The states of the connections with this local (or peer's) port, orphans and TIME_WAIT too."""
        every = kernel.dump(socket.AF_INET) + kernel.dump(socket.AF_INET6)
        return sorted(one.state for one in every
                      if (one.sport if local else one.dport) == port and one.state != "LISTEN")

    def gone(self, port, local=True, timeout=DEADLINE):
        """Waits until the kernel has no such connection, and says how long that took."""
        start = time.monotonic()
        while self.states(port, local):
            if time.monotonic() - start > timeout:
                raise Failure(f"still there after {timeout} s: {self.states(port, local)}")
            time.sleep(0.02)
        return time.monotonic() - start


def parse(data):
    """The segment in an IP packet, or None."""
    if len(data) >= 40 and data[0] >> 4 == 4 and data[9] == socket.IPPROTO_TCP:
        start, total = (data[0] & 15) * 4, struct.unpack_from("!H", data, 2)[0]
    elif len(data) >= 60 and data[0] >> 4 == 6 and data[6] == socket.IPPROTO_TCP:
        start, total = 40, 40 + struct.unpack_from("!H", data, 4)[0]
    else:
        return None
    sport, dport, seq = struct.unpack_from("!HHI", data, start)
    header, bits = data[start + 12] >> 4, data[start + 13]
    flags = "".join(letter for bit, letter in FLAGS if bits & bit)
    return Segment(time.monotonic(), sport, dport, flags, seq, total - start - 4 * header)

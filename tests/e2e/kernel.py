"""The kernel's own view of TCP sockets: the truth that reports are held against."""

import ctypes
import os
import socket
import struct

STATES = {
    1: "ESTABLISHED", 2: "SYN_SENT", 3: "SYN_RECV", 4: "FIN_WAIT1", 5: "FIN_WAIT2", 6: "TIME_WAIT", 7: "CLOSE",
    8: "CLOSE_WAIT", 9: "LAST_ACK", 10: "LISTEN", 11: "CLOSING",
}
NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLM_F_REQUEST_DUMP = 0x301
NLMSG_ERROR, NLMSG_DONE = 2, 3
SYS_PIDFD_OPEN, SYS_PIDFD_GETFD = 434, 438  # the same numbers on every architecture


class Tcp:
    """One socket of this network namespace."""

    def __init__(self, family, state, sport, dport, src, dst, rqueue, wqueue, inode):
        self.state = STATES.get(state, "?")
        self.sport, self.dport = sport, dport
        self.local, self.peer = address(family, src, sport), address(family, dst, dport)
        self.rqueue, self.wqueue, self.inode = rqueue, wqueue, inode
        self.fds = []

    def cause(self):
        """What the kernel's queue says of a socket in CLOSE_WAIT: rqueue counts an unread FIN as one."""
        if self.inode == 0:
            return "never_accepted"
        return {0: "eof_ignored", 1: "fin_unread"}.get(self.rqueue, "data_unread")

    def __repr__(self):
        return f"{self.state} {self.local}>{self.peer} rqueue={self.rqueue} inode={self.inode} fds={self.fds}"


def address(family, raw, port):
    if family == socket.AF_INET:
        return f"{socket.inet_ntop(family, raw[:4])}:{port}"
    if raw[:12] == b"\0" * 10 + b"\xff\xff":
        return f"{socket.inet_ntop(socket.AF_INET, raw[12:])}:{port}"
    return f"[{socket.inet_ntop(family, raw)}]:{port}"


def dump(family, states=0xFFF):
    """Every TCP socket of a family by sock_diag."""
    request = struct.pack("=BBBBI", family, socket.IPPROTO_TCP, 0, 0, states) + b"\0" * 48
    header = struct.pack("=IHHII", 16 + len(request), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST_DUMP, 1, 0)
    found = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_SOCK_DIAG) as netlink:
        netlink.settimeout(5)
        netlink.send(header + request)
        while True:
            data = netlink.recv(1 << 16)
            while len(data) >= 16:
                length, kind = struct.unpack_from("=IH", data)
                if kind == NLMSG_DONE:
                    return found
                if kind == NLMSG_ERROR:
                    raise OSError("sock_diag refused the dump")
                found.append(parse(data[16:length]))
                data = data[(length + 3) & ~3:]


def parse(body):
    family, state = struct.unpack_from("=BB", body)
    sport, dport = struct.unpack_from("!HH", body, 4)
    src, dst = body[8:24], body[24:40]
    _, rqueue, wqueue, _, inode = struct.unpack_from("=IIIII", body, 52)
    return Tcp(family, state, sport, dport, src, dst, rqueue, wqueue, inode)


def sockets_by_inode(pid):
    """inode -> descriptors of the process."""
    found = {}
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            link = os.readlink(f"/proc/{pid}/fd/{name}")
        except FileNotFoundError:
            continue
        if link.startswith("socket:["):
            found.setdefault(int(link[8:-1]), []).append(int(name))
    return found


def tcp_of(pid):
    """The TCP sockets that the process holds, and what waits in its listeners' backlogs (inode 0)."""
    held = sockets_by_inode(pid)
    everything = dump(socket.AF_INET) + dump(socket.AF_INET6)
    ports = {tcp.sport for tcp in everything if tcp.state == "LISTEN" and tcp.inode in held}
    found = []
    for tcp in everything:
        tcp.fds = sorted(held.get(tcp.inode, []))
        if tcp.fds or (tcp.inode == 0 and tcp.sport in ports and tcp.state in ("CLOSE_WAIT", "ESTABLISHED")):
            found.append(tcp)
    return found


def close_waits(pid):
    return [tcp for tcp in tcp_of(pid) if tcp.state == "CLOSE_WAIT"]


def state_of_fd(pid, fd):
    """The state of one descriptor of another process, where sock_diag does not list it (CLOSE): by pidfd_getfd."""
    libc = ctypes.CDLL(None, use_errno=True)
    pidfd = libc.syscall(SYS_PIDFD_OPEN, pid, 0)
    if pidfd < 0:
        raise OSError(ctypes.get_errno(), "pidfd_open")
    copy = libc.syscall(SYS_PIDFD_GETFD, pidfd, fd, 0)
    os.close(pidfd)
    if copy < 0:
        raise OSError(ctypes.get_errno(), "pidfd_getfd")
    with socket.socket(fileno=copy) as mine:
        return STATES.get(mine.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)[0], "?")

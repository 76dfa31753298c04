/*
 * explain_active.c: this side has sent its FIN, or a reset instead of it.
 */
#include "explain_topics.h"

static const char wait_c[] = "struct timeval limit = {.tv_sec = 5};\n"
                             "setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);\n"
                             "shutdown(fd, SHUT_WR);\n"
                             "while ((n = read(fd, buffer, sizeof buffer)) > 0)\n"
                             "	; /* to the peer's end, or to the time limit */\n"
                             "close(fd);\n";
static const char wait_python[] = "with connection:\n"
                                  "    connection.shutdown(socket.SHUT_WR)\n"
                                  "    connection.settimeout(5)\n"
                                  "    try:\n"
                                  "        while connection.recv(4096):\n"
                                  "            pass  # to the peer's end, or to the time limit\n"
                                  "    except TimeoutError:\n"
                                  "        pass\n";
static const char wait_java[] = "try (socket) {\n"
                                "    socket.shutdownOutput();\n"
                                "    socket.setSoTimeout(5000);\n"
                                "    socket.getInputStream().skip(Long.MAX_VALUE); // to the peer's end\n"
                                "} catch (SocketTimeoutException e) {\n"
                                "    log(e); // closed all the same\n"
                                "}\n";
static const char wait_node[] = "socket.end(); // half-closes; the rest is read to its end,\n"
                                "socket.resume();\n"
                                "socket.setTimeout(5000, () => socket.destroy()); // or to the time limit\n";

const struct cg_topic cg_explain_active[] = {
    {.name = "fin_wait1",
     .seen_by = "closeguard scan --state fin_wait1",
     .summary = "closed here, and the peer acknowledges nothing",
     .meaning = "Our FIN is not acknowledged, or not even sent since data waits in front of it (a peer with a full "
                "window). After close() the kernel gives up by tcp_orphan_retries (about 108 s by default); after "
                "shutdown() alone by tcp_retries2 (about 15 minutes). A peer that keeps its window at zero and answers "
                "probes can hold it much longer.",
     .confirm =
         {"ss -tnpo state fin-wait-1   # Send-Q: what is unacknowledged; timer: the next try. Without users: closed"},
     .mend = {"unsigned limit_ms = 5000;\n"
              "setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit_ms, sizeof limit_ms); /* just before the close */\n"
              "close(fd);\n",
              "connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 5000)  # just before the close\n"
              "connection.close()\n",
              "socket.setSoLinger(true, 0); // Java has no TCP_USER_TIMEOUT: a peer that is lost gets a reset,\n"
              "socket.close(); // and what it had not read is discarded\n",
              "socket.end();\n"
              "setTimeout(() => socket.resetAndDestroy(), 5000).unref(); // Node has no TCP_USER_TIMEOUT: a reset\n"}},
    {.name = "fin_wait2",
     .summary = "the peer has acknowledged our FIN and does not close its side",
     .meaning =
         "After close() the kernel ends this by itself after tcp_fin_timeout (60 s by default). After shutdown() "
         "alone it can stay for ever: only the peer's FIN, a close or keepalive ends it; TCP_USER_TIMEOUT does "
         "not.",
     .confirm = {"ss -tnpo state fin-wait-2   # with users: shut down and held; without: closed, the timer is running"},
     .mend = {wait_c, wait_python, wait_java, wait_node}},
    {.name = "half_closed",
     .of = "fin_wait2",
     .summary = "shut down for writing and then kept",
     .meaning = "The program called shutdown() and waits for the peer's end without a time limit. The connection has "
                "none of its own: as long as the program holds it and the peer says nothing, it stays in FIN_WAIT2.",
     .confirm = {"ss -tnp state fin-wait-2    # users:(...) names the process that still holds it"},
     .mend = {wait_c, wait_python, wait_java, wait_node}},
    {.name = "reset_on_close",
     .seen_by = "nstat -az TcpExtTCPAbortOnClose TcpExtTCPAbortOnData",
     .summary = "the close sent a reset instead of a FIN",
     .meaning = "The kernel answered close() with RST: because data was unread, which wins over any linger setting, or "
                "because SO_LINGER was set to a time of 0. The peer may lose what it had not read yet, the end of an "
                "answer for example.",
     .confirm = {"nstat -az TcpExtTCPAbortOnClose TcpExtTCPAbortOnData   # unread data; SO_LINGER 0",
                 "ss -tnp   # the connection is gone at once on both sides: no TIME-WAIT is left"},
     .mend = {wait_c, wait_python, wait_java, wait_node}},
    {.name = "unread_data",
     .seen_by = "nstat -az TcpExtTCPAbortOnClose",
     .of = "reset_on_close",
     .summary = "closed with data unread, so the peer was sent a reset",
     .meaning = "Bytes from the peer were waiting when the socket was closed. The kernel then sends RST, and the peer "
                "may lose the end of what this side had sent before it. Shut down for writing, read to the end with a "
                "time limit, then close.",
     .confirm = {"nstat -az TcpExtTCPAbortOnClose   # rises by one with each",
                 "ss -tn   # Recv-Q is not 0 just before the close"},
     .mend = {wait_c, wait_python, wait_java, wait_node}},
    {.name = "linger_zero",
     .seen_by = "nstat -az TcpExtTCPAbortOnData",
     .of = "reset_on_close",
     .summary = "SO_LINGER with a time of 0 resets at close()",
     .meaning =
         "SO_LINGER{on, 0} makes close() discard what is unsent and send RST. It avoids TIME_WAIT at the price of "
         "the peer's data. Options set on a listener are inherited by what it accepts, so the call may stand "
         "far from the close.",
     .confirm = {"nstat -az TcpExtTCPAbortOnData   # rises by one with each that had data",
                 "ss -tn state time-wait           # none of its connections is there"},
     .mend = {"struct linger off = {.l_onoff = 0};\n"
              "setsockopt(fd, SOL_SOCKET, SO_LINGER, &off, sizeof off);\n",
              "connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 0, 0))\n",
              "socket.setSoLinger(false, 0);\n", "socket.end(); // not resetAndDestroy()\n"}},
    {.name = NULL}};

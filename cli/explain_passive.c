/*
 * explain_passive.c: the peer has closed first, and the socket stays in CLOSE_WAIT.
 */
#include "explain_topics.h"

static const char close_c[] = "ssize_t n = read(fd, buffer, sizeof buffer);\n"
                              "if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {\n"
                              "	close(fd); /* on every way out of here, the error's too */\n"
                              "	return;\n"
                              "}\n";
static const char close_python[] = "with connection:  # closes on every way out, an exception too\n"
                                   "    while data := connection.recv(4096):\n"
                                   "        handle(data)\n";
static const char close_java[] = "try (Socket socket = server.accept(); InputStream in = socket.getInputStream()) {\n"
                                 "    byte[] buffer = new byte[4096];\n"
                                 "    for (int n; (n = in.read(buffer)) != -1; )\n"
                                 "        handle(buffer, n);\n"
                                 "} // closed here, by an exception too\n";
static const char close_node[] =
    "const server = net.createServer((socket) => { // without allowHalfOpen: true\n"
    "  socket.on('data', handle); // unread data hides the end: resume() if it is unwanted\n"
    "  socket.on('error', () => socket.destroy());\n"
    "});\n";

const struct cg_topic cg_explain_passive[] = {
    {.name = "close_wait",
     .summary = "the peer has closed, and this side has not",
     .meaning = "The peer's FIN has come, and the program still holds the socket. The kernel has no time limit for "
                "this: while nothing is sent, only the program ends it. It is a bug where the close was forgotten, "
                "and overload where the close comes late; the cause says which, by what the program has read.",
     .confirm = {"ss -tnp state close-wait   # Recv-Q 0: the end was read; 1: only the FIN waits; more: unread data",
                 "ss -tni state close-wait   # lastack: how long at least; lastrcv: how long at most, in milliseconds"},
     .mend = {close_c, close_python, close_java, close_node}},
    {.name = "eof_ignored",
     .of = "close_wait",
     .summary = "a read returned 0, and the socket was not closed",
     .meaning = "The program was told that the peer has closed: a read returned 0 (or, where its reads cannot be seen, "
                "the kernel's queue is empty, the FIN included). Nothing will tell it again, so a path through the "
                "code that leaves without close() leaks the socket for good.",
     .confirm = {"ss -tnp state close-wait | awk '$1 == 0'   # Recv-Q 0: nothing waits, the end was consumed"},
     .mend = {close_c, close_python, close_java, close_node}},
    {.name = "data_unread",
     .of = "close_wait",
     .summary = "bytes wait in front of the peer's FIN: it stopped reading",
     .meaning = "The peer sent data and closed; the program stopped reading before the end and kept the socket. It "
                "cannot see the end until it has read what is in front of it. A close with this data unread sends a "
                "reset instead of a FIN, by which the peer may lose what it had not read yet.",
     .confirm = {"ss -tnp state close-wait | awk '$1 > 1'   # Recv-Q is the unread bytes, and 1 for the FIN"},
     .mend = {"while ((n = read(fd, buffer, sizeof buffer)) > 0)\n"
              "	; /* what nobody wants is read too, or the end is never seen */\n"
              "close(fd);\n",
              "with session.get(url, stream=True) as response:  # gives the connection up, read or not\n"
              "    first = response.raw.read(100)\n",
              "try (InputStream body = connection.getInputStream()) {\n"
              "    body.skip(Long.MAX_VALUE); // or readAllBytes()\n"
              "} finally {\n"
              "    connection.disconnect();\n"
              "}\n",
              "http.get(url, (response) => {\n"
              "  if (response.statusCode !== 200) response.resume(); // an unwanted body is read away\n"
              "});\n"}},
    {.name = "fin_unread",
     .of = "close_wait",
     .summary = "only the FIN waits: nobody looked",
     .meaning = "The peer closed, and the program has not looked since. Where an epoll set watches the socket "
                "(polled_by), its loop is stuck or overloaded. One that was accepted has a handler that is busy or "
                "blocked. One that the program made is mostly an idle connection in a pool: one for each peer is "
                "normal and goes with the next request; those that stay when their place is used again are leaked.",
     .confirm = {"ss -tnp state close-wait | awk '$1 == 1'   # Recv-Q 1: only the FIN is unread",
                 "cat /proc/PID/fdinfo/EPOLL_FD              # tfd: lists the descriptors that a loop watches"},
     .mend = {"struct pollfd idle = {.fd = fd, .events = POLLIN | POLLRDHUP};\n"
              "if (poll(&idle, 1, 0) > 0) /* closed by the peer: not for the next request */\n"
              "	close(fd);\n",
              "readable, _, _ = select.select([connection], [], [], 0)\n"
              "if readable:  # closed by the peer: not for the next request\n"
              "    connection.close()\n",
              "// seconds; shorter than the server's own keep-alive time. Before the first request.\n"
              "System.setProperty(\"jdk.httpclient.keepalive.timeout\", \"5\");\n",
              "const agent = new http.Agent({ keepAlive: true, timeout: 5000, maxFreeSockets: 4 });\n"}},
    {.name = "shared",
     .of = "close_wait",
     .summary = "closed here, kept open by a copy of the descriptor",
     .meaning = "This process has closed the socket, but a dup, a forked child or a process that it was sent to still "
                "holds it. Only the last close ends a connection: until then no FIN is sent and the peer waits.",
     .confirm = {"ss -tnp state close-wait       # users:(...) names each process that holds it",
                 "closeguard scan PID            # shared with: the same, with the descriptors in --json"},
     .mend = {"int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC); /* exec closes it */\n"
              "if (connection >= 0 && fork() == 0)\n"
              "	close(listener); /* the child keeps the connection only */\n"
              "else\n"
              "	close(connection); /* and the parent the listener only */\n",
              "pid = os.fork()\n"
              "if pid == 0:\n"
              "    listener.close()  # the child keeps the connection only\n"
              "    serve(connection)\n"
              "    os._exit(0)\n"
              "connection.close()  # and the parent the listener only\n",
              "executor.execute(() -> {\n"
              "    try (socket) { // the task owns it: nobody else keeps a reference\n"
              "        serve(socket);\n"
              "    } catch (IOException e) {\n"
              "        log(e);\n"
              "    }\n"
              "});\n",
              "child.send('serve', socket, { keepOpen: false }); // the parent's copy goes with the message\n"}},
    {.name = "never_accepted",
     .of = "close_wait",
     .summary = "in a listener's backlog: the server has stopped accepting",
     .meaning = "The kernel completed the connection, the client gave up and closed, and the server never called "
                "accept(). Such sockets belong to no process. The server's accept loop is blocked, its workers are all "
                "busy, or accept() fails for want of descriptors.",
     .confirm = {"ss -ltn                    # Recv-Q: connections that wait; Send-Q: how many may",
                 "ss -tn state close-wait    # with -p no users:(...) stands behind these",
                 "closeguard scan            # counts them by listener"},
     .mend = {"int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);\n"
              "if (connection < 0 && (errno == EMFILE || errno == ENFILE)) {\n"
              "	close(spare); /* a descriptor in reserve: take one, close it, and the queue moves on */\n"
              "	close(accept4(listener, NULL, NULL, SOCK_CLOEXEC));\n"
              "	spare = open(\"/dev/null\", O_RDONLY | O_CLOEXEC);\n"
              "}\n",
              "while True:\n"
              "    connection, peer = listener.accept()\n"
              "    pool.submit(serve, connection)  # this thread does nothing but accept\n",
              "while (!server.isClosed()) {\n"
              "    Socket accepted = server.accept();\n"
              "    executor.execute(() -> serve(accepted)); // this thread does nothing but accept\n"
              "}\n",
              "const worker = new Worker('./slow.js', { workerData: job }); // never block the loop that accepts\n"
              "worker.once('message', (result) => socket.end(result));\n"}},
    {.name = "half_close",
     .of = "close_wait",
     .summary = "the other direction is still in use: for information",
     .meaning = "The peer has finished sending, and this side still sends, or it is one side of a relay whose other "
                "side was half-closed and waits for its answer. That is what CLOSE_WAIT is for, and no leak. It needs "
                "a time limit all the same, for a peer that never answers.",
     .confirm = {"ss -tni state close-wait   # lastsnd is small, or Send-Q is not 0: it is sending"},
     .mend = {"struct timeval limit = {.tv_sec = 30};\n"
              "setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit); /* write() fails then: close(fd) */\n",
              "connection.settimeout(30)  # sendall() raises TimeoutError then\n"
              "with connection:\n"
              "    connection.sendall(reply)\n",
              "ScheduledFuture<?> limit = scheduler.schedule(() -> {\n"
              "    socket.close(); // wakes whoever writes to it\n"
              "    return null;\n"
              "}, 30, TimeUnit.SECONDS);\n",
              "socket.setTimeout(30000, () => socket.destroy());\n"}},
    {.name = "late_close",
     .of = "close_wait",
     .summary = "closed, but long after the end was read: overload",
     .meaning = "The socket was closed in the end, only late: the program is no leaker but busy. Under load such "
                "sockets pile up like leaked ones do. Look for what kept the thread between the read of 0 and the "
                "close: a slow backend, a lock, too few workers.",
     .confirm = {"ss -tnp state close-wait | wc -l   # again and again: it rises and falls"},
     .mend = {"if (read(fd, buffer, sizeof buffer) == 0) {\n"
              "	close(fd); /* first the close, */\n"
              "	write_statistics(); /* then what may take its time */\n"
              "}\n",
              "connection.close()  # first the close,\n"
              "write_statistics()  # then what may take its time\n",
              "socket.close(); // first the close,\n"
              "writeStatistics(); // then what may take its time\n",
              "socket.end(); // first the close,\n"
              "setImmediate(writeStatistics); // then what may take its time\n"}},
    {.name = NULL}};

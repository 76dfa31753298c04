/*
 * explain_misuse.c: the connection is over, and its descriptor is not handled right.
 */
#include "explain_topics.h"

static const char forget_c[] = "if (fd >= 0)\n"
                               "	close(fd);\n"
                               "fd = -1; /* the number is somebody else's now */\n";
static const char forget_java[] = "socket.close(); // may be called twice; what belongs to native code has one owner\n";
static const char forget_node[] = "socket.destroy(); // may be called twice; a number from fs.open may not\n"
                                  "if (!socket.destroyed) socket.write(reply);\n";

const struct cg_topic cg_explain_misuse[] = {
    {.name = "dead_socket",
     .summary = "the connection is gone, and the descriptor is still held",
     .meaning =
         "The connection ended by a reset, a keepalive failure or a time limit, so its state is CLOSE. ss does not "
         "list it any more, but the descriptor is taken until it is closed: a leak that has left CLOSE_WAIT is "
         "still a leak.",
     .confirm =
         {"ls -l /proc/PID/fd | grep -c socket:       # more than what ss -tanp and ss -uanp have of the process",
          "closeguard scan --state dead_socket PID    # which descriptors"},
     .mend = {"ssize_t n = read(fd, buffer, sizeof buffer);\n"
              "if (n < 0 && (errno == ECONNRESET || errno == ETIMEDOUT || errno == EPIPE))\n"
              "	close(fd); /* an error ends a connection as a 0 does */\n",
              "try:\n"
              "    data = connection.recv(4096)\n"
              "except OSError:\n"
              "    connection.close()  # an error ends a connection as an empty read does\n"
              "    raise\n",
              "try {\n"
              "    n = socket.getInputStream().read(buffer);\n"
              "} catch (IOException e) {\n"
              "    socket.close(); // an error ends a connection as -1 does\n"
              "    throw e;\n"
              "}\n",
              "socket.on('error', (error) => {\n"
              "  console.error(error);\n"
              "  socket.destroy(); // an error ends a connection as 'end' does\n"
              "});\n"}},
    {.name = "connect_failed",
     .of = "dead_socket",
     .summary = "connect() failed, and the socket was not closed",
     .meaning = "The peer refused, did not answer or could not be reached. The socket is back where socket() left it, "
                "in no state that ss lists, and takes a descriptor. A loop that makes a new socket for each attempt "
                "and leaves at the error runs out of descriptors while the peer is down.",
     .confirm = {"ls -l /proc/PID/fd | grep -c socket:       # grows while ss -tanp shows nothing",
                 "strace -f -p PID -e trace=connect,close    # connect fails and no close of that number follows"},
     .mend = {"struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(443)};\n"
              "if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {\n"
              "	close(fd); /* the next attempt makes a socket of its own */\n"
              "	fd = -1;\n"
              "}\n",
              "connection = socket.create_connection(address, timeout=5)  # closes what it could not connect\n",
              "try {\n"
              "    socket.connect(new InetSocketAddress(\"example.org\", 443), 5000);\n"
              "} catch (IOException e) {\n"
              "    socket.close(); // or try-with-resources, which closes it when connect throws, too\n"
              "    throw e;\n"
              "}\n",
              "socket.on('error', () => socket.destroy());\n"}},
    {.name = "double_close",
     .summary = "close() of a number that was closed already",
     .meaning = "The second close() failed with EBADF this time. In a threaded program another thread may have got the "
                "same number in between, and then its new descriptor is closed: a connection breaks at a place that "
                "did nothing wrong.",
     .confirm = {"strace -f -p PID -e trace=close -e status=failed   # EBADF",
                 "ss -tnp                                            # others' connections that vanish: ss shows the "
                 "effect only"},
     .mend = {forget_c, "connection.close()  # may be called twice; os.close(connection.fileno()) may not\n",
              forget_java, forget_node}},
    {.name = "use_after_close",
     .summary = "a call on a number that was closed already",
     .meaning = "A read, write or option on a closed number failed with EBADF. Had another thread got the number in "
                "between, the bytes would have gone into, or come from, somebody else's connection.",
     .confirm = {"strace -f -p PID -e trace=%net,read,write -e status=failed   # EBADF",
                 "ss -tnp                                                      # the descriptor is not there"},
     .mend = {forget_c, "connection.close()  # a later call raises OSError; keep the object, not its fileno()\n",
              forget_java, forget_node}},
    {.name = "fd_exhaustion",
     .summary = "no descriptor is left, or soon none will be",
     .meaning = "accept() or socket() failed with EMFILE or ENFILE, or at the present rate soon will. A listener then "
                "accepts nobody, and its backlog fills with connections that end in CLOSE_WAIT. The listener stays "
                "readable, so a loop around poll() or epoll_wait() that only notes the error calls accept() again at "
                "once and takes a whole CPU: it has to wait, for a close or for a moment, before it tries again. The "
                "finding lists the places that hold the most descriptors, leaking or not. The limit is seldom the "
                "cause: mend the largest leak first and raise the limit to win time.",
     .confirm = {"ls /proc/PID/fd | wc -l; grep 'open files' /proc/PID/limits",
                 "ss -tanp | grep 'pid=PID,' | awk '{print $1}' | sort | uniq -c   # in which state they are"},
     .mend = {"struct rlimit limit;\n"
              "if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {\n"
              "	limit.rlim_cur = limit.rlim_max;\n"
              "	setrlimit(RLIMIT_NOFILE, &limit); /* not where select() is used */\n"
              "}\n",
              "soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)\n"
              "resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))\n",
              "permits.acquire(); // a Semaphore: as many connections as there are descriptors to spare\n"
              "executor.execute(() -> {\n"
              "    try {\n"
              "        serve(socket);\n"
              "    } finally {\n"
              "        permits.release();\n"
              "    }\n"
              "});\n",
              "server.maxConnections = 1000; // fewer than there are descriptors\n"}},
    {.name = NULL}};

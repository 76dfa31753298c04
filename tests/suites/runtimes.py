"""Runtimes with clients and servers of their own. Each suite takes a Side and returns what has to be the same."""

import re

from common import Skip, need

# Modules of CPython's own tests that open sockets, start processes or threads.
CPYTHON = """test_asyncio test_epoll test_fork1 test_ftplib test_httplib test_httpservers test_imaplib test_poll
    test_poplib test_queue test_select test_selectors test_signal test_smtplib test_smtpd test_socket test_socketserver
    test_ssl test_subprocess test_telnetlib test_threading test_urllib2_localnet test_wsgiref test_xmlrpc""".split()

NODE = """
const http = require('http');
const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
const server = http.createServer((request, response) => response.end('ok'));
let done = 0, failed = 0;
server.listen(0, '127.0.0.1', () => {
  const one = () => http.get({ port: server.address().port, agent }, (response) => {
    response.resume();
    response.on('end', next);
  }).on('error', () => { failed++; next(); });
  const next = () => {
    if (++done < 2000) return one();
    if (done > 2000) return;
    agent.destroy();
    server.close(() => console.log('done', done, 'failed', failed));
  };
  for (let i = 0; i < 8; i++) one();
});
"""

JAVA = """
import com.sun.net.httpserver.HttpServer;
import java.net.*;
import java.net.http.*;
import java.util.concurrent.*;
public class Storm {
    public static void main(String[] args) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        ExecutorService pool = Executors.newFixedThreadPool(8);
        server.setExecutor(pool);
        server.createContext("/", e -> {
            e.sendResponseHeaders(200, 2);
            e.getResponseBody().write("ok".getBytes());
            e.close();
        });
        server.start();
        URI uri = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/");
        HttpClient client = HttpClient.newHttpClient();
        int good = 0;
        for (int i = 0; i < 1000; i++)
            if (client.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString())
                    .body().equals("ok"))
                good++;
        server.stop(0);
        pool.shutdown();
        System.out.println("good " + good);
        System.exit(0);
    }
}
"""


def cpython(side):
    """CPython's own tests about sockets, processes and threads: the same ones pass."""
    python = need("/usr/bin/python3")
    look = "import importlib.util as u; print(u.find_spec('test.test_socket') or 'no test')"
    if "no test" in side.run(python, "-c", look, watched=False):
        raise Skip("CPython's tests are not installed (libpython3-testsuite)")
    out = side.run(python, "-m", "test", "-j", 1, "-u", "network,-urlfetch", "--timeout", 600, *CPYTHON, status=None,
                   timeout=3000, cwd=side.dir)
    failed = re.search(r"tests? failed:\n((?:    .*\n)+)", out)
    return sorted(failed.group(1).split()) if failed else []


def node(side):
    """Node: a server and a client with kept connections, 2,000 requests."""
    return side.run(need("node"), side.write("storm.js", NODE))


def java(side):
    """Java: com.sun.net.httpserver and java.net.http, 1,000 requests."""
    return side.run(need("java"), side.write("Storm.java", JAVA)).splitlines()[-1:]


SUITES = {
    "cpython": (cpython, ["/usr/bin/python3", "--version"]),
    "node": (node, ["node", "--version"]),
    "java": (java, ["java", "-version"]),
}

<?php
$links = [];
while (($line = fgets(STDIN)) !== false) {
    for ($i = 0; $i < (int)$line; $i++) {
        if (!isset($links[$i]) || !@pg_query($links[$i], "select 1")) {
            $links[$i] = pg_connect("host=127.0.0.1 port=$argv[1] user=postgres dbname=postgres", PGSQL_CONNECT_FORCE_NEW);
            pg_query($links[$i], "select 1");
        }
    }
    echo "done\n";
}

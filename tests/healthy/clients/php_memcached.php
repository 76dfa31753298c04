<?php
$links = [];
while (($line = fgets(STDIN)) !== false) {
    for ($i = 0; $i < (int)$line; $i++) {
        if (!isset($links[$i])) {
            $links[$i] = new Memcached("p$i");
            $links[$i]->addServer("127.0.0.1", (int)$argv[1]);
        }
        for ($try = 0; $try < 4 && !$links[$i]->set("a", "b"); $try++)
            ;
    }
    echo "done\n";
}

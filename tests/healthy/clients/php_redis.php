<?php
$links = [];
while (($line = fgets(STDIN)) !== false) {
    for ($i = 0; $i < (int)$line; $i++) {
        for ($try = 0; $try < 3; $try++) {
            try {
                if (!isset($links[$i])) {
                    $links[$i] = new Redis();
                    $links[$i]->pconnect("127.0.0.1", (int)$argv[1], 0, "p$i");
                }
                $links[$i]->set("a", "b");
                break;
            } catch (RedisException $gone) {
                $links[$i]->close();
                unset($links[$i]);
            }
        }
    }
    echo "done\n";
}

<?php
$handles = [];
while (($line = fgets(STDIN)) !== false) {
    for ($i = 0; $i < (int)$line; $i++) {
        $handles[$i] ??= curl_init($argv[1]);
        curl_setopt($handles[$i], CURLOPT_RETURNTRANSFER, true);
        curl_exec($handles[$i]);
    }
    echo "done\n";
}

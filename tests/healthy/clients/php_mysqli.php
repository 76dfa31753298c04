<?php
mysqli_report(MYSQLI_REPORT_OFF);
$links = [];
while (($line = fgets(STDIN)) !== false) {
    for ($i = 0; $i < (int)$line; $i++) {
        if (!isset($links[$i]) || !@mysqli_query($links[$i], "select 1")) {
            $links[$i] = mysqli_connect("127.0.0.1", "root", "", "", (int)$argv[1]);
            mysqli_query($links[$i], "select 1");
        }
    }
    echo "done\n";
}

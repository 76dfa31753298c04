use strict;
use warnings;
use Redis;

my @handles;
$| = 1;
while (my $line = <STDIN>) {
    for my $i (0 .. $line - 1) {
        $handles[$i] //= Redis->new(server => "127.0.0.1:$ARGV[0]", reconnect => 5, every => 1000);
        $handles[$i]->set(a => "b");
    }
    print "done\n";
}

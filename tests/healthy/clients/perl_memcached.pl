use strict;
use warnings;
use Cache::Memcached;

my @handles;
$| = 1;
while (my $line = <STDIN>) {
    for my $i (0 .. $line - 1) {
        $handles[$i] //= Cache::Memcached->new({ servers => ["127.0.0.1:$ARGV[0]"] });
        $handles[$i]->set("a", "b");
    }
    print "done\n";
}

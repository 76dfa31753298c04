use strict;
use warnings;
use HTTP::Tiny;

my @agents;
$| = 1;
while (my $line = <STDIN>) {
    for my $i (0 .. $line - 1) {
        $agents[$i] //= HTTP::Tiny->new(keep_alive => 1);
        $agents[$i]->get($ARGV[0])->{success} or warn "no answer";
    }
    print "done\n";
}

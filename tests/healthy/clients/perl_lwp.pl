use strict;
use warnings;
use LWP::UserAgent;

my @agents;
$| = 1;
while (my $line = <STDIN>) {
    for my $i (0 .. $line - 1) {
        $agents[$i] //= LWP::UserAgent->new(keep_alive => 4);
        $agents[$i]->get($ARGV[0])->is_success or warn "no answer";
    }
    print "done\n";
}

use strict;
use warnings;
use Mojo::UserAgent;

my $agent = Mojo::UserAgent->new->inactivity_timeout(0);
$agent->max_connections(16);
$| = 1;
while (my $line = <STDIN>) {
    $agent->get($ARGV[0])->result->is_success or warn "no answer" for 1 .. $line;
    print "done\n";
}

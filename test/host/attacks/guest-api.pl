# Speaks to Incus through the socket that it puts into containers.
#
#   guest-api.pl METHOD PATH [BODY]
require(($0 =~ m{^(/.*)/})[0] . '/common.pl');
use strict;
use warnings;
use IO::Socket::UNIX;

my ($method, $path, $body) = @ARGV;
$body //= '';
my $socket = IO::Socket::UNIX->new(Peer => '/dev/incus/sock');
if (!defined $socket) { report(error => error_name()); exit }
print $socket "$method $path HTTP/1.0\r\nHost: incus\r\nContent-Type: application/json\r\nContent-Length: "
    . length($body) . "\r\n\r\n$body";
my $answer = join '', <$socket>;
my ($head, $text) = split /\r\n\r\n/, $answer, 2;
report(status => ($head // '') =~ m{^HTTP/\S+ (\d+)} ? $1 : 0, body => $text // '');

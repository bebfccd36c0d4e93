%% binaries: matching bytes and fields one after the other.
%% repeat: 28
-module(b_bin_match).
-export([run/0]).
run() -> B = binary:copy(<<1, 2, 3, 4, 5, 6, 7, 8, 250, 251>>, 100000), {bytes(B, 0), bytes(B, 0), words(B, 0), bits(binary:part(B, 0, 200000), 0), bytes(B, 0)}.
bytes(<<X, R/binary>>, A) -> bytes(R, A + X);
bytes(<<>>, A) -> A.
words(<<A:16, B:32/little, C:24, _:8, R/binary>>, S) -> words(R, (S + A + B bxor C) band 16#FFFFFFFF);
words(_, S) -> S.
bits(<<A:3, B:5/signed, R/bits>>, S) -> bits(R, S + A - B);
bits(<<>>, S) -> S.

%% binaries: checksums and hashes of bytes, written in Erlang: Adler-32, FNV-1a of 32 and 64 bits, CRC-32 by a table, djb2.
%% repeat: 2
-module(b_checksum).
-export([run/0]).

run() ->
    B = << <<(N * 31 band 255)>> || N <- lists:seq(1, 60000) >>,
    {adler(B, 1, 0), fnv32(B, 16#811C9DC5), fnv64(B, 16#CBF29CE484222325), crc(B, 16#FFFFFFFF, table()), djb2(B, 5381)}.

adler(<<X, R/binary>>, A, B) -> A1 = (A + X) rem 65521, adler(R, A1, (B + A1) rem 65521);
adler(<<>>, A, B) -> (B bsl 16) bor A.

fnv32(<<X, R/binary>>, H) -> fnv32(R, ((H bxor X) * 16#01000193) band 16#FFFFFFFF);
fnv32(<<>>, H) -> H.

fnv64(<<X, R/binary>>, H) -> fnv64(R, ((H bxor X) * 16#100000001B3) band 16#FFFFFFFFFFFFFFFF);
fnv64(<<>>, H) -> H.

djb2(<<X, R/binary>>, H) -> djb2(R, ((H bsl 5) + H + X) band 16#FFFFFFFF);
djb2(<<>>, H) -> H.

crc(<<X, R/binary>>, C, T) -> crc(R, (C bsr 8) bxor element((C bxor X) band 255 + 1, T), T);
crc(<<>>, C, _) -> C bxor 16#FFFFFFFF.

table() -> list_to_tuple([entry(N, 8) || N <- lists:seq(0, 255)]).

entry(C, 0) -> C;
entry(C, K) when C band 1 =:= 1 -> entry((C bsr 1) bxor 16#EDB88320, K - 1);
entry(C, K) -> entry(C bsr 1, K - 1).

%% binaries: the binary module's searching and splitting, checksums.
%% repeat: 10
-module(b_bin_mod).
-export([run/0]).
run() -> B = binary:copy(<<"lorem ipsum dolor sit amet, consectetur adipiscing elit\n">>, 4000), loop(12, B, 0).
loop(0, _, A) -> A;
loop(N, B, A) ->
    L = binary:split(B, <<"\n">>, [global]),
    W = lists:sum([length(binary:split(X, <<" ">>, [global])) || X <- lists:sublist(L, 1000)]),
    M = length(binary:matches(B, [<<"ipsum">>, <<"elit">>, <<"nothing">>])),
    R = byte_size(binary:replace(B, <<"dolor">>, <<"d">>, [global])),
    loop(N - 1, B, (A + length(L) + W + M + R + erlang:crc32(B) + erlang:adler32(B)) band 16#FFFFFFFF).

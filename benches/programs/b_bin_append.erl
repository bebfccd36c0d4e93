%% binaries: building by appending.
%% repeat: 6
-module(b_bin_append).
-export([run/0]).
run() -> loop(12, 0).
loop(0, A) -> A;
loop(N, A) -> B = app(300000, <<>>), loop(N - 1, A + byte_size(B) + binary:last(B)).
app(0, B) -> B;
app(N, B) when N band 3 =:= 0 -> app(N - 1, <<B/binary, N:32, "xy">>);
app(N, B) -> app(N - 1, <<B/binary, N:8>>).

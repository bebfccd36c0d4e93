%% integers: a tail-recursive loop of arithmetic.
%% repeat: 1
-module(b_loop).
-export([run/0]).
run() -> loop(60000000, 0).
loop(0, A) -> A;
loop(N, A) -> loop(N - 1, (A + N * 3 - (N band 7)) rem 1000003).

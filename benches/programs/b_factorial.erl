%% bignums: factorials, small times big.
%% repeat: 1
-module(b_factorial).
-export([run/0]).
run() -> [F | _] = [fact(4000, 1) || _ <- lists:seq(1, 40)], F rem 1000000007 + F band 16#FFFF.
fact(0, A) -> A;
fact(N, A) -> fact(N - 1, N * A).
